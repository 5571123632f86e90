"""How bad is it: signals, evidence, the score and its explanation. Pure, with its policy file."""
