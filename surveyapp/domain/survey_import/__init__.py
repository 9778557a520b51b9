"""Reads surveys that other tools wrote, as far as ours can say the same, and says in words what it cannot."""

from surveyapp.domain.survey_import.carried import Carried, Unreadable
from surveyapp.domain.survey_import.limesurvey import read_limesurvey
from surveyapp.domain.survey_import.surveyjs import read_surveyjs

__all__ = ["Carried", "Unreadable", "read_limesurvey", "read_surveyjs"]
