"""Intervals and p values of SciPy and statsmodels: python test/golden/statistics.py > test/fixtures/statistics.json

Made in 2026-11 with the versions that the file names.
"""

import json

import numpy
import scipy
import statsmodels
from scipy.stats import bootstrap, permutation_test
from statsmodels.stats.proportion import proportion_confint

random = numpy.random.default_rng(7)


def samples():
    yield random.uniform(size=12).round(3)
    yield random.beta(0.4, 0.4, size=30).round(3)
    yield random.beta(5, 0.5, size=60).round(3)
    # Many resamples have the sample's own mean: with 64 values of few bits their sums are exact, in SciPy too.
    yield numpy.concatenate([numpy.ones(61), [0.0, 0.25, 0.5]])
    yield numpy.array([0.0, 0.2, 1.0, 0.9])


def bca(values, confidence):
    found = bootstrap((values,), numpy.mean, confidence_level=confidence, n_resamples=200_000, method="BCa", rng=1, batch=10_000)
    low, high = found.confidence_interval
    return {"values": values.tolist(), "confidence": confidence, "mean": float(values.mean()), "low": float(low), "high": float(high)}


def sign_flip(differences):
    found = permutation_test(
        (differences, numpy.zeros_like(differences)),
        lambda x, y, axis: numpy.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=200_000,
        rng=1,
    )
    return {"differences": differences.tolist(), "p": float(found.pvalue)}


def differences():
    yield numpy.array([1.0, 1, 1, -1, 0, 1, 1, 0, 1])
    yield numpy.array([0.1, 0.2, -0.3, 0.25, 0.05, 0.6, -0.15])
    yield random.normal(0.1, 0.3, size=14).clip(-1, 1).round(3)
    yield random.normal(0.1, 0.3, size=40).clip(-1, 1).round(3)
    yield random.choice([-1.0, 0.0, 1.0], p=[0.1, 0.6, 0.3], size=60)


def wilson(hits, count, confidence):
    low, high = proportion_confint(hits, count, alpha=1 - confidence, method="wilson")
    return {"hits": hits, "count": count, "confidence": confidence, "low": float(low), "high": float(high)}


print(
    json.dumps(
        {
            "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
            "wilson": [wilson(*case) for case in [(0, 1, 0.95), (1, 1, 0.95), (50, 50, 0.95), (49, 50, 0.95), (3, 7, 0.9), (120, 500, 0.99)]],
            "bca": [bca(values, confidence) for values in samples() for confidence in (0.95, 0.8)],
            "signFlip": [sign_flip(values) for values in differences()],
        },
        indent=1,
    )
)
