"""How good is the score: a simulated tenant, labelled attackers, contenders, figures.

Not shipped. The generator (``world``, ``life``, ``attacks``, ``stream``) knows nothing of the
policy; what judges (``contenders``) never sees a label.
"""
