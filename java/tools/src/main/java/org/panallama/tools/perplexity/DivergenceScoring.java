package org.panallama.tools.perplexity;

import java.io.IOException;

/** Likelihoods, and how far every row is from the base's in a file. */
final class DivergenceScoring extends LikelihoodScoring {

    private final LogitsFile base;
    private final Moments baseNll = new Moments();
    private final Moments divergence = new Moments();
    private final Moments change = new Moments();
    private final Moments squaredChange = new Moments();
    private final double[] divergences;
    private final double[] changes;
    private double products;
    private long same;

    DivergenceScoring(LogitsFile base, int tokens) {
        this.base = base;
        this.divergences = new double[tokens];
        this.changes = new double[tokens];
    }

    @Override
    public void prepare(LogitRow row) throws IOException {
        base.read(row.stored());
    }

    @Override
    public void score(LogitRow row) {
        super.score(row);
        row.compare();
    }

    @Override
    public void collect(LogitRow row) throws IOException {
        super.collect(row);
        int index = (int) divergence.count();
        double before = base.nll(index, row.baseNll());
        double changed = Math.exp(-row.nll()) - Math.exp(-before);
        divergences[index] = row.divergence();
        changes[index] = changed;
        baseNll.add(before);
        divergence.add(row.divergence());
        change.add(changed);
        squaredChange.add(changed * changed);
        products += row.nll() * before;
        same += row.sameTop() ? 1 : 0;
    }

    KlDivergence result(PerplexityResult result) {
        Estimate own = nll().estimate();
        Estimate other = baseNll.estimate();
        long count = nll().count();
        long degrees = Math.max(1, count - 1); // of a single token, all errors are 0
        double covariance = (products / count - own.value() * other.value()) / degrees;
        double ratio = Math.exp(own.value() - other.value());
        double ratioVariance = own.error() * own.error() + other.error() * other.error() - 2 * covariance;
        double rms = Math.sqrt(squaredChange.mean());
        double top = (double) same / count;
        return new KlDivergence(
                result,
                new Estimate(Math.exp(other.value()), Math.exp(other.value()) * other.error()),
                new Estimate(ratio, ratio * Math.sqrt(Math.max(0, ratioVariance))),
                covariance / (own.error() * other.error()),
                divergence.estimate(),
                new Spread(divergences),
                change.estimate(),
                new Estimate(rms, rms == 0 ? 0 : squaredChange.estimate().error() / (2 * rms)),
                new Spread(changes),
                new Estimate(top, Math.sqrt(top * (1 - top) / degrees)));
    }
}
