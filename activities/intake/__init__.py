"""What is asked for, checked whole before anything is stored."""
