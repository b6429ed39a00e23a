//! Whether two things can be told apart by their time: a permutation test on pairs of samples.
//!
//! A limit on a ratio of times is either so wide that it lets a leak pass, or so narrow that a busy machine breaks it. So nothing
//! is compared with a limit here. The two are timed in pairs, one right after the other and in random order, so that
//! whatever slows the machine slows both. If they cannot be told apart, then which of a pair was which is a coin's fall: the
//! samples are labelled anew, many times, by coins, and counted is how often the coins' labels show a difference as large as the
//! true ones do. That share is the p-value, exact whatever the distribution of the times. Ranks stand for the times
//! (Wilcoxon's signed ranks), so that a single sample that a machine's hiccup made long weighs no more than any other.

use std::time::{Duration, Instant};

/// How many pairs are thrown away at the beginning, while caches fill.
const WARM_UP: usize = 8;

/// How often the pairs are labelled anew: enough for p-values below one in ten thousand.
const ROUNDS: u32 = 20_000;

/// Times of two things, in pairs.
#[derive(Debug, Clone)]
pub struct Pairs(Vec<(f64, f64)>);

impl Pairs {
    /// Times two things so many times each. The seed orders each pair, and is the same for each run of a test.
    pub async fn time(
        count: usize,
        seed: u64,
        mut one: impl AsyncFnMut(),
        mut other: impl AsyncFnMut(),
    ) -> Pairs {
        let mut coin = Coin::new(seed);
        let mut pairs = Vec::with_capacity(count);
        for nth in 0..count + WARM_UP {
            let pair = if coin.flip() {
                let one = timed(&mut one).await;
                (one, timed(&mut other).await)
            } else {
                let other = timed(&mut other).await;
                (timed(&mut one).await, other)
            };
            if nth >= WARM_UP {
                pairs.push(pair);
            }
        }
        Pairs(pairs)
    }

    /// Takes samples that were made elsewhere, in seconds or any other unit.
    pub fn of(pairs: impl IntoIterator<Item = (f64, f64)>) -> Pairs {
        Pairs(pairs.into_iter().collect())
    }

    /// Forgives a difference of so much in each pair: what nobody can measure from outside, such as that of reading a row or
    /// none.
    #[must_use]
    pub fn forgiving(&self, margin: Duration) -> Pairs {
        let margin = margin.as_secs_f64();
        // The difference is moved towards nought as a whole, by the margin at most: pairs on either side move alike.
        let shift = self.median_difference().clamp(-margin, margin);
        Pairs(self.0.iter().map(|(one, other)| (one - shift, *other)).collect())
    }

    /// By how much the first of a pair is slower than the second, at the median.
    pub fn median_difference(&self) -> f64 {
        let mut differences = self.differences();
        differences.sort_by(f64::total_cmp);
        differences
            .get(differences.len() / 2)
            .copied()
            .unwrap_or_default()
    }

    /// How likely a difference as large as this one is, if the two cannot be told apart. Below one in ten thousand, they can.
    pub fn p_value(&self, seed: u64) -> f64 {
        let ranks = signed_ranks(&self.differences());
        let seen = ranks.iter().sum::<i64>().abs();
        let mut coin = Coin::new(seed);
        let mut as_large = 0;
        for _ in 0..ROUNDS {
            let labelled = ranks.iter().map(|rank| if coin.flip() { *rank } else { -rank });
            as_large += u32::from(labelled.sum::<i64>().abs() >= seen);
        }
        // The true labels are one of the ways to label them.
        f64::from(as_large + 1) / f64::from(ROUNDS + 1)
    }

    fn differences(&self) -> Vec<f64> {
        self.0.iter().map(|(one, other)| one - other).collect()
    }
}

async fn timed(work: &mut impl AsyncFnMut()) -> f64 {
    let began = Instant::now();
    work().await;
    began.elapsed().as_secs_f64()
}

/// Twice the rank of each difference by its size, with its sign; those of the same size share their ranks.
fn signed_ranks(differences: &[f64]) -> Vec<i64> {
    let mut sorted: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|difference| difference.abs() > 0.0)
        .collect();
    sorted.sort_by(|one, other| one.abs().total_cmp(&other.abs()));
    let mut ranks = Vec::with_capacity(sorted.len());
    for alike in sorted.chunk_by(|one, other| one.abs().total_cmp(&other.abs()).is_eq()) {
        let rank = i64::try_from(2 * ranks.len() + alike.len() + 1).unwrap_or(i64::MAX);
        ranks.extend(
            alike
                .iter()
                .map(|difference| if *difference > 0.0 { rank } else { -rank }),
        );
    }
    ranks
}

/// A coin that falls the same way for the same seed (splitmix64), sixty-four times for each step.
struct Coin {
    state: u64,
    falls: u64,
    left: u32,
}

impl Coin {
    fn new(seed: u64) -> Coin {
        Coin {
            state: seed,
            falls: 0,
            left: 0,
        }
    }

    fn flip(&mut self) -> bool {
        if self.left == 0 {
            self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            self.falls = mixed ^ (mixed >> 31);
            self.left = 64;
        }
        let fell = self.falls & 1 == 1;
        self.falls >>= 1;
        self.left -= 1;
        fell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise with a long tail, as times have it.
    fn noise(coin: &mut Coin) -> f64 {
        let mut length = 1.0;
        while coin.flip() {
            length *= 1.5;
        }
        length
            + (0..16)
                .map(|_| if coin.flip() { 0.0 } else { 1.0 / 16.0 })
                .sum::<f64>()
    }

    fn samples(seed: u64, slower_by: f64) -> Pairs {
        let mut coin = Coin::new(seed);
        Pairs::of((0..300).map(|_| (noise(&mut coin) + slower_by, noise(&mut coin))))
    }

    #[test]
    fn what_is_alike_is_not_told_apart_more_often_than_chance() {
        let low = (0..40)
            .filter(|seed| samples(*seed, 0.0).p_value(7) < 0.05)
            .count();
        assert!(low <= 7, "{low} of 40 are below one in twenty");
        assert!((0..40).all(|seed| samples(seed, 0.0).p_value(7) > 1e-4));
    }

    #[test]
    fn difference_well_below_the_noise_is_found() {
        for seed in 0..5 {
            assert!(samples(seed, 0.5).p_value(7) < 1e-4);
            assert!(samples(seed, -0.5).p_value(7) < 1e-4);
        }
    }

    #[test]
    fn one_hiccup_is_no_difference() {
        let mut coin = Coin::new(3);
        let pairs = (0..300).map(|nth| {
            let hiccup = if nth == 150 { 1e6 } else { 0.0 };
            (noise(&mut coin) + hiccup, noise(&mut coin))
        });
        assert!(Pairs::of(pairs).p_value(7) > 1e-4);
    }

    #[test]
    fn margin_forgives_what_is_within_it_and_nothing_more() {
        let pairs = samples(11, 0.5);
        assert!(pairs.forgiving(Duration::from_secs(2)).p_value(7) > 1e-4);
        assert!(pairs.forgiving(Duration::from_millis(10)).p_value(7) < 1e-4);
    }

    #[test]
    fn same_samples_have_the_same_p_value() {
        assert!((samples(1, 0.0).p_value(7) - samples(1, 0.0).p_value(7)).abs() < f64::EPSILON);
        assert!((Pairs::of([]).p_value(7) - 1.0).abs() < f64::EPSILON);
    }
}
