"""Mail and webhooks: a finished message is handed over. What it says comes from above.

Nothing here knows houses, the catalogue or HTTP; the only room that speaks SMTP.
"""
