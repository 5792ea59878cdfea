"""What the law asks of whoever keeps calls: policies, retention, and the right to be forgotten."""
