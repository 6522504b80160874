"""Computes the polynomials of the elementary functions and writes them as AssemblyScript: coefficients.ts.

Each is the interpolation at the Chebyshev nodes of its interval, in 60 digits, and then rounded to the dtype: within a
factor of two of the best polynomial of its degree. Printed beside each is its largest relative error, before the
rounding of the coefficients. Run it in this folder (needs mpmath): python coefficients.py > coefficients.ts
"""

import struct

from mpmath import atanh, cos, erfc, exp, log, mp, mpf, pi, sin, sqrt

mp.dps = 60

# The interval of the normal tail ends where e^(-x^2/2) has underflown to 0.
TAIL_END = {"f32": 15, "f64": 39}
# Maps [0, inf) to [-1, 1) by y = (x - CENTRE) / (x + CENTRE).
CENTRE = 4


def interpolate(function, low, high, degree):
    """Coefficients, lowest first, of the polynomial through `function` at the Chebyshev nodes of [low, high]."""
    count = degree + 1
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    newton = [function(x) for x in nodes]
    for j in range(1, count):
        for i in range(degree, j - 1, -1):
            newton[i] = (newton[i] - newton[i - 1]) / (nodes[i] - nodes[i - j])
    coefficients = [newton[degree]]
    for i in range(degree - 1, -1, -1):
        shifted = [mpf(0)] + coefficients
        for j, value in enumerate(coefficients):
            shifted[j] -= nodes[i] * value
        shifted[0] += newton[i]
        coefficients = shifted
    return coefficients


def evaluate(coefficients, x):
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def exp_tail(r):
    """(e^r - 1 - r) / r^2, by its series near 0."""
    if abs(r) < mpf("1e-15"):
        return mpf(1) / 2 + r / 6
    return (exp(r) - 1 - r) / r**2


def log_tail(u):
    """(log((1 + s)/(1 - s)) - 2s) / s^3 at s = sqrt(u)."""
    if u < mpf("1e-20"):
        return mpf(2) / 3 + 2 * u / 5
    s = sqrt(u)
    return (2 * atanh(s) - 2 * s) / s**3


def normal_tail(y):
    """(x + CENTRE) e^(x^2/2) (1 - Phi(x)) at the x that y stands for."""
    x = CENTRE * (1 + y) / (1 - y)
    return (x + CENTRE) * exp(x * x / 2) * erfc(x / sqrt(2)) / 2


def sine_ratio(square):
    """sin(2 pi u) / u at u = sqrt(square)."""
    if square < mpf("1e-30"):
        return 2 * pi - (2 * pi) ** 3 * square / 6
    u = sqrt(square)
    return sin(2 * pi * u) / u


def rounded(value, dtype):
    """The nearest number of the dtype, in digits that read back to it."""
    if dtype == "f64":
        return repr(float(value))
    return repr(struct.unpack("f", struct.pack("f", float(value)))[0])


def table(name, comment, dtype, function, low, high, degree, whole):
    """One table, highest coefficient first. `whole(x, tail)` is the function that the tail stands in."""
    low, high = mpf(low), mpf(high)
    coefficients = interpolate(function, low, high, degree)
    worst = mpf(0)
    for i in range(1001):
        x = low + (high - low) * i / 1000
        right = whole(x, function(x))
        if right != 0:
            worst = max(worst, abs(whole(x, evaluate(coefficients, x)) / right - 1))
    suffix = "32" if dtype == "f32" else "64"
    print(f"/** {comment}: degree {degree}, relative error {mp.nstr(worst, 2)} */")
    print(f"export const {name}_DEGREE_{suffix}: i32 = {degree};")
    print(f"export const {name}_{suffix} = memory.data<{dtype}>([")
    for coefficient in reversed(coefficients):
        print(f"  {rounded(coefficient, dtype)},")
    print("]);")


print("// Made by coefficients.py. Highest coefficient first. Each states its interval in the comment.\n")
half_log_2 = log(mpf(2)) / 2 * mpf("1.0001")
for dtype, degree in (("f32", 5), ("f64", 10)):
    table(
        "EXP", "(e^r - 1 - r) / r^2 for |r| <= log(2)/2", dtype, exp_tail, -half_log_2, half_log_2, degree,
        lambda r, tail: r + r * r * tail,
    )
for dtype, degree in (("f32", 4), ("f64", 10)):
    table(
        "LOG", "(log((1+s)/(1-s)) - 2s) / s^3 in s^2 for 0 <= s <= 1/3", dtype, log_tail, 0, mpf(1) / 9, degree,
        lambda u, tail: 2 + u * tail,
    )
for dtype, degree in (("f32", 10), ("f64", 23)):
    end = mpf(TAIL_END[dtype])
    table(
        "NORMAL", f"(x+{CENTRE}) e^(x^2/2) (1 - Phi(x)) in y = (x-{CENTRE})/(x+{CENTRE}) for 0 <= x <= {TAIL_END[dtype]}",
        dtype, normal_tail, -1, (end - CENTRE) / (end + CENTRE), degree,
        lambda y, tail: tail,
    )
for dtype, degree in (("f32", 4), ("f64", 8)):
    table(
        "SINE", "sin(2 pi u) / u in u^2 for |u| <= 1/4", dtype, sine_ratio, 0, mpf(1) / 16, degree,
        lambda u, ratio: ratio,
    )
