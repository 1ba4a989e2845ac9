"""ASK: how orders begin and hear from outside."""
