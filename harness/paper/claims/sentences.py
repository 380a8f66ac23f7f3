"""The paper's sentences, each with the predicate that it is put to: data, C1 to C16."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from harness.paper.claims import figure1, others, predicates
from harness.paper.claims.judged import Judged
from harness.paper.reading import Facts, Records


class Claim(NamedTuple):
    """One sentence of Behl, Baydin and Torr (2019)."""

    key: str
    place: str
    """Where in the paper it stands."""
    sentence: str
    """Its words; '...' where some are left out."""
    short: str
    """In a few words, for tables and figures."""
    strict: str
    """The predicate, in words."""
    judge: Callable[[Records, Facts], Judged]
    weak: str | None = None
    """The weaker form; None: there is none."""
    everywhere: bool = True
    """False: no reading changes it, so it is judged once."""


CLAIMS = (
    Claim(
        key="C1",
        place="Figure 2",
        sentence="Specially for the case of α0 = 1e− 3, β0 = 1e− 5 Alpha-MAML converged for some "
        "cases of αhyperlr and βhyperlr, whereas MAML does not converge till 500 "
        "iterations.",
        short="2 decades off: some Alpha-MAML reach 2.5, MAML not",
        strict="MAML misses 2.5 and at least one choice of the hyper-rates reaches it",
        judge=predicates.c1,
    ),
    Claim(
        key="C2",
        place="Figure 2",
        sentence="Same is the case with α0 = 1e − 4, β0 = 1e − 6, for half of the choices of "
        "αhyperlr and βhyperlr, Alpha-MAML converged but MAML does not converge in less "
        "than 500 iterations.",
        short="3 decades off: half of them reach 2.5, MAML not",
        strict="MAML misses 2.5 and a share of 0.4 to 0.6 of the hyper-rates reaches it",
        weak="MAML misses 2.5 and some choice of the hyper-rates reaches it",
        judge=predicates.c2,
    ),
    Claim(
        key="C3",
        place="Figure 3",
        sentence="... for the case of α0 = 1e− 4, β0 = 1e − 6 ... MAML takes 165 iterations.",
        short="3 decades off: MAML takes 165 iterations to 2.99",
        strict="of at least five seeds at least half pass 2.99, and 165 lies between the least "
        "and the largest count",
        judge=predicates.c3,
    ),
    Claim(
        key="C4",
        place="Figure 3",
        sentence="Specially for the case of α0 = 1e− 4, β0 = 1e− 6 Alpha-MAML converged in less "
        "than 15 iterations for a wide range of αhyperlr and βhyperlr ...",
        short="3 decades off: under 15 iterations for a wide range",
        strict="at least half of the hyper-rates pass 2.99 in fewer than 15 iterations",
        weak="at least a quarter of them do",
        judge=predicates.c4,
    ),
    Claim(
        key="C5",
        place="Figure 3",
        sentence="Same is the case with α0 = 1e− 5, β0 = 1e− 7, for most of the choices of "
        "αhyperlr and βhyperlr, Alpha-MAML converged in lesser number of iterations than "
        "MAML.",
        short="4 decades off: fewer iterations than MAML for most",
        strict="more than half of the hyper-rates pass 2.99 in fewer iterations than MAML",
        judge=predicates.c5,
    ),
    Claim(
        key="C6",
        place="Section 5",
        sentence="It can be seen that MAML shows very slow convergence for a range of initial "
        "learning rates, more specifically for α0 = 1e− 4, β0 = 1e− 6 and α0 = 1e− 5, β0 "
        "= 1e− 7.",
        short="3 and 4 decades off MAML is very slow",
        strict="at both pairs and by both targets MAML takes at least 5 times as long as at its "
        "fastest pair, or misses",
        weak="the same by 2.5 alone",
        judge=predicates.c6,
    ),
    Claim(
        key="C7",
        place="Section 5",
        sentence="For the cases where MAML shows fast convergence, Alpha MAML also shows fast "
        "convergence for all values of αhyperlr and βhyperlr.",
        short="where MAML is fast, every Alpha-MAML is",
        strict="where MAML is fast, every choice of the hyper-rates takes at most 1.25 times "
        "MAML's iterations",
        weak="at least 0.9 of them do",
        judge=predicates.c7,
    ),
    Claim(
        key="C8",
        place="Section 5",
        sentence="This indicates that in practice no matter which values one chooses for the "
        "inital learning and meta-learning rates α0 and β0, Alpha MAML always shows "
        "faster, or in the worst case the same, convergence as MAML.",
        short="Alpha-MAML is never slower than MAML",
        strict="in every cell Alpha-MAML takes at most as many iterations as MAML at the same pair",
        weak="in at least 0.95 of the cells it does",
        judge=predicates.c8,
    ),
    Claim(
        key="C9",
        place="Figures 2 and 3",
        sentence="It can be seen that as we go far from the tuned hyper-parameter range, converge "
        "of Alpha-MAML is better than MAML.",
        short="its advantage grows away from the tuned rates",
        strict="Alpha-MAML's advantage never falls from one pair of the diagonal to the next",
        weak="it is larger at the last pair than at the first",
        judge=predicates.c9,
    ),
    Claim(
        key="C10",
        place="Figure 1",
        sentence="Results show that even the badly picked α0 and β0 values can be automatically "
        "tuned ..., tuned in the sense that the algorithm does the necessary adjustments "
        "to αi and βi in each iteration to achieve a loss similar to the good case.",
        short="untuned, it ends at a loss like tuned MAML's",
        strict="every untuned cell of Figure 1 ends within 0.1 nats of tuned MAML, in training "
        "and in validation, and untuned MAML does not",
        weak="at least half of the cells end similar or lower, and untuned MAML does not",
        judge=figure1.c10,
    ),
    Claim(
        key="C11",
        place="Figure 1",
        sentence="... the algorithm does the necessary adjustments to αi and βi in each iteration "
        "... This can be seen in Figure 1 middle and right columns.",
        short="untuned alpha and beta rise",
        strict="in every untuned cell of Figure 1 alpha and beta end higher than they started, none diverged",
        weak="in at least half of the cells",
        judge=figure1.c11,
    ),
    Claim(
        key="C12",
        place="Section 5",
        sentence="In other words, Alpha MAML is less sensitive to the hyperparameter choice as "
        "compared to MAML, and hence needs significantly less tuning.",
        short="Alpha-MAML is less sensitive to the initial rates",
        strict="the spread over the pairs is smaller than MAML's at the best, the median and the "
        "worst hyper-rates",
        weak="at the median hyper-rates",
        judge=predicates.c12,
    ),
    Claim(
        key="C13",
        place="Section 4",
        sentence="It can be seen that no extra gradient needs to be computed, as the gradients "
        "from the last iteration can be used, requiring only the extra memory storage of "
        "the gradient from the previous iteration.",
        short="no gradient more, one stored gradient",
        strict="as many backward passes as MAML, at most one copy of the weights more at the peak "
        "of memory, at most 1.05 times its time",
        weak="the backward passes and the memory alone",
        judge=others.c13,
        everywhere=False,
    ),
    Claim(
        key="C14",
        place="Abstract; Algorithms 1 and 2",
        sentence="... introducing an extension to MAML, called Alpha MAML ...",
        short="with hyper-rates 0 it is MAML",
        strict="with both hyper-rates 0 every run equals MAML's bit for bit",
        judge=others.c14,
    ),
    Claim(
        key="C15",
        place="Figures 2 and 3",
        sentence="... the number of iterations to converge to a training loss ... Here the blank "
        "cells denote the cases where algorithm did not converge till 500 iterations.",
        short="counts agree with the runs, 2.99 before 2.5",
        strict="in every run 2.99 is passed no later than 2.5, and the tables' counts are those "
        "of its losses, blank where none passes",
        judge=others.c15,
    ),
    Claim(
        key="C16",
        place="Section 5",
        sentence="Omniglot comprises 20 instances (drawn by 20 different people) of 1,623 "
        "characters from 50 alphabets. ... To keep the procedure the same as MAML, we "
        "also randomly select 1,200 characters for training, and use the rest for "
        "testing.",
        short="the data and their split",
        strict="1,623 characters of 50 alphabets, 20 drawings each; 1,200 train and the other 423 do not",
        judge=others.c16,
        everywhere=False,
    ),
)
"""All sixteen. What their words mean in numbers: harness.paper.claims.definitions."""
