"""What the pages of the console ask of the database, a file per page. Read only; every page in a few statements."""

from surveyapp.queries.console.brand import BrandFacts, brand_facts

__all__ = ["BrandFacts", "brand_facts"]
