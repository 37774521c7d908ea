#!/usr/bin/python3
"""Golden values of the aggregates, calculated with exact rational numbers.

columns.csv: pairs of columns of several kinds and a weight.
similarity.csv: for each pair the cosine without and with weights.
moments.csv: for each column (row_id is its position) mean_abs, mean, sd, min,
max, positive share and standard error of mean_abs.

Every expected value is the double nearest to the exact one: sums are
fractions, square roots have 80 digits.
"""
import random
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 80
random.seed(20240607)
ROWS = 400


def column(kind):
    if kind == 'usual':
        return [random.gauss(0, 1) for _ in range(ROWS)]
    if kind == 'far':              # mean 1e8, spread 1: squares cancel
        return [1e8 + random.gauss(0, 1) for _ in range(ROWS)]
    if kind == 'huge':             # squares overflow a double
        return [random.uniform(-1, 1) * 1.7e308 for _ in range(ROWS)]
    if kind == 'tiny':             # squares underflow
        return [random.uniform(-1, 1) * 1e-307 for _ in range(ROWS)]
    if kind == 'mixed':            # all magnitudes
        return [random.uniform(-1, 1) * 10.0 ** random.randint(-300, 300) for _ in range(ROWS)]
    return [float(random.randint(-3, 3)) for _ in range(ROWS)]


def root(fraction):
    return (Decimal(fraction.numerator) / Decimal(fraction.denominator)).sqrt()


def divide(a, b):
    return Decimal(a.numerator) / Decimal(a.denominator) / b


def cosine(a, b, w):
    ab = sum(Fraction(x) * Fraction(y) * Fraction(v) for x, y, v in zip(a, b, w))
    aa = sum(Fraction(x) ** 2 * Fraction(v) for x, v in zip(a, w))
    bb = sum(Fraction(y) ** 2 * Fraction(v) for y, v in zip(b, w))
    return float(divide(ab, root(aa * bb)))


def sd(values):
    n = len(values)
    mean = sum(values) / n
    return root(sum((x - mean) ** 2 for x in values) / (n - 1))


def nearest(decimal):
    """float(Decimal) is correctly rounded; huge sds stay below overflow here."""
    return float(decimal)


def moments(a):
    exact = [Fraction(x) for x in a]
    size = [abs(x) for x in exact]
    positive = sum(x > 0 for x in a)
    negative = sum(x < 0 for x in a)
    error = sd(size) / Decimal(len(a)).sqrt()
    return [float(sum(size) / len(a)), float(sum(exact) / len(a)), nearest(sd(exact)),
            min(a), max(a), positive / (positive + negative), nearest(error)]


pairs = [('usual', 'usual'), ('far', 'far'), ('huge', 'huge'), ('tiny', 'tiny'),
         ('mixed', 'mixed'), ('whole', 'whole'), ('huge', 'tiny'), ('usual', 'copy')]
columns = []
for first, second in pairs:
    a = column(first)
    b = [x + random.gauss(0, 1e-6) for x in a] if second == 'copy' else column(second)
    columns += [a, b]
weight = [random.choice([0.0, 1.0, random.random(), random.random() * 1e3]) for _ in range(ROWS)]

with open('columns.csv', 'w') as out:
    out.write('row_id,' + ','.join('c%d' % i for i in range(len(columns))) + ',weight\n')
    for i in range(ROWS):
        out.write('%d,%s\n' % (i, ','.join(repr(c[i]) for c in columns + [weight])))
with open('similarity.csv', 'w') as out:
    out.write('row_id,plain,weighted\n')
    for i in range(len(pairs)):
        a, b = columns[2 * i], columns[2 * i + 1]
        out.write('%d,%r,%r\n' % (i, cosine(a, b, [1] * ROWS), cosine(a, b, weight)))
with open('moments.csv', 'w') as out:
    out.write('row_id,mean_abs,mean,sd,min,max,positive_share,std_error\n')
    for i, c in enumerate(columns):
        out.write('%d,%s\n' % (i, ','.join(repr(x) for x in moments(c))))
