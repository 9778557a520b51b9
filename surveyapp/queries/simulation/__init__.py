"""What a replay of recorded events through a policy reads: the setting once, then its people page by page."""
