"""The Alpha-MAML study: the paper's claims and their evidence, chance level, cost, its page."""
