use crate::context::parent::ParentIds;
use crate::sdk::{self, BuiltIn, SamplingDecision, ShouldSample};
use opentelemetry::trace::{SpanId, TraceId};

/// Decides which spans are recorded and exported.
///
/// The specification's samplers allocate nothing. A [`ShouldSample`] of the official SDK or your own is called as it is
/// ([`custom`](Self::custom)), and what it needs may allocate.
///
/// # Examples
///
/// ```
/// use zerospan_trace::{ParentBased, Sampler};
///
/// let tenth = Sampler::TraceIdRatioBased(0.1);
/// let by_parent = Sampler::from(ParentBased::new(tenth).with_remote_parent_not_sampled(Sampler::AlwaysOn));
/// # drop(by_parent);
/// // The samplers of the official SDK convert.
/// let same = Sampler::from(opentelemetry_sdk::trace::Sampler::AlwaysOn);
/// assert!(matches!(same, Sampler::AlwaysOn));
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Sampler {
    /// Records and exports every span.
    AlwaysOn,
    /// Records no span.
    AlwaysOff,
    /// Records and exports this share of all traces, from 0.0 to 1.0, by the trace id: the same traces as the official SDK's
    /// sampler of that ratio.
    TraceIdRatioBased(f64),
    /// Decides by the span's parent.
    ParentBased(Box<ParentBased>),
    /// Calls a sampler of the SDK's trait.
    ///
    /// It takes a `Context`. If the parent was entered natively, one is built, which allocates.
    Custom(Box<dyn ShouldSample>),
}

impl Sampler {
    /// Calls `sampler`, which may be boxed already.
    pub fn custom(sampler: impl Into<Box<dyn ShouldSample>>) -> Self {
        Self::Custom(sampler.into())
    }

    /// Decides as the parent did, and by `root` for spans without a parent.
    pub fn parent_based<K>(root: impl IntoSampler<K>) -> Self {
        ParentBased::new(root).into()
    }

    /// Decides on a span of `trace_id` with `parent`, which is valid or [`ParentIds::NONE`].
    #[inline]
    pub(crate) fn decide(&self, parent: &ParentIds, trace_id: TraceId) -> Decision<'_> {
        let mut sampler = self;
        loop {
            return match sampler {
                Self::AlwaysOn => Decision::Decided(SamplingDecision::RecordAndSample),
                Self::AlwaysOff => Decision::Decided(SamplingDecision::Drop),
                Self::TraceIdRatioBased(ratio) => Decision::Decided(by_ratio(*ratio, trace_id)),
                Self::ParentBased(branches) => {
                    sampler = branches.branch(parent);
                    continue;
                }
                Self::Custom(custom) => Decision::Delegate(custom.as_ref()),
            };
        }
    }

    /// Returns `true` if some branch is a custom sampler, which takes a `Context`.
    pub(crate) fn needs_context(&self) -> bool {
        match self {
            Self::Custom(_) => true,
            Self::ParentBased(branches) => branches.all().into_iter().any(Self::needs_context),
            Self::AlwaysOn | Self::AlwaysOff | Self::TraceIdRatioBased(_) => false,
        }
    }
}

/// Returns the specification's default: parent-based, with every root sampled.
impl Default for Sampler {
    fn default() -> Self {
        Self::parent_based(Self::AlwaysOn)
    }
}

/// Converts any sampler of the SDK's trait. The SDK's own always-on, always-off and ratio samplers become this crate's.
impl<S: ShouldSample + 'static> From<S> for Sampler {
    fn from(sampler: S) -> Self {
        match sdk::built_in(&sampler) {
            Some(BuiltIn::AlwaysOn) => Self::AlwaysOn,
            Some(BuiltIn::AlwaysOff) => Self::AlwaysOff,
            Some(BuiltIn::TraceIdRatioBased(ratio)) => Self::TraceIdRatioBased(ratio),
            None => Self::Custom(Box::new(sampler)),
        }
    }
}

/// Converts into the sampler of a provider: from a [`Sampler`], a [`ParentBased`], any [`ShouldSample`], or a boxed one.
///
/// `K` tells these kinds apart, and is inferred.
pub trait IntoSampler<K> {
    /// Converts it.
    fn into_sampler(self) -> Sampler;
}

impl<S: Into<Sampler>> IntoSampler<Sampler> for S {
    fn into_sampler(self) -> Sampler {
        self.into()
    }
}

impl IntoSampler<Box<dyn ShouldSample>> for Box<dyn ShouldSample> {
    fn into_sampler(self) -> Sampler {
        Sampler::Custom(self)
    }
}

impl From<ParentBased> for Sampler {
    fn from(branches: ParentBased) -> Self {
        Self::ParentBased(Box::new(branches))
    }
}

/// The specification's `ParentBased` sampler, with its five branches.
#[derive(Clone, Debug)]
pub struct ParentBased {
    root: Sampler,
    remote_parent_sampled: Sampler,
    remote_parent_not_sampled: Sampler,
    local_parent_sampled: Sampler,
    local_parent_not_sampled: Sampler,
}

impl ParentBased {
    /// Decides on spans without a valid parent by `root`. Samples the children of sampled parents, and no others.
    pub fn new<K>(root: impl IntoSampler<K>) -> Self {
        Self {
            root: root.into_sampler(),
            remote_parent_sampled: Sampler::AlwaysOn,
            remote_parent_not_sampled: Sampler::AlwaysOff,
            local_parent_sampled: Sampler::AlwaysOn,
            local_parent_not_sampled: Sampler::AlwaysOff,
        }
    }

    /// Decides on children of a remote, sampled parent by `sampler`.
    #[must_use]
    pub fn with_remote_parent_sampled<K>(mut self, sampler: impl IntoSampler<K>) -> Self {
        self.remote_parent_sampled = sampler.into_sampler();
        self
    }

    /// Decides on children of a remote parent that is not sampled by `sampler`.
    #[must_use]
    pub fn with_remote_parent_not_sampled<K>(mut self, sampler: impl IntoSampler<K>) -> Self {
        self.remote_parent_not_sampled = sampler.into_sampler();
        self
    }

    /// Decides on children of a sampled parent of this process by `sampler`.
    #[must_use]
    pub fn with_local_parent_sampled<K>(mut self, sampler: impl IntoSampler<K>) -> Self {
        self.local_parent_sampled = sampler.into_sampler();
        self
    }

    /// Decides on children of a parent of this process that is not sampled by `sampler`.
    #[must_use]
    pub fn with_local_parent_not_sampled<K>(mut self, sampler: impl IntoSampler<K>) -> Self {
        self.local_parent_not_sampled = sampler.into_sampler();
        self
    }

    #[inline]
    fn branch(&self, parent: &ParentIds) -> &Sampler {
        if parent.span_id == SpanId::INVALID {
            return &self.root;
        }
        match (parent.is_remote, parent.flags.is_sampled()) {
            (true, true) => &self.remote_parent_sampled,
            (true, false) => &self.remote_parent_not_sampled,
            (false, true) => &self.local_parent_sampled,
            (false, false) => &self.local_parent_not_sampled,
        }
    }

    fn all(&self) -> [&Sampler; 5] {
        [
            &self.root,
            &self.remote_parent_sampled,
            &self.remote_parent_not_sampled,
            &self.local_parent_sampled,
            &self.local_parent_not_sampled,
        ]
    }
}

/// The result of [`Sampler::decide`].
pub(crate) enum Decision<'a> {
    Decided(SamplingDecision),
    /// A custom sampler decides, with everything that is known of the span.
    Delegate(&'a dyn ShouldSample),
}

/// Samples if the low 63 bits of the trace id are below the ratio's share of their range: the official SDK's rule, so that
/// services with either provider sample the same traces.
#[inline]
fn by_ratio(ratio: f64, trace_id: TraceId) -> SamplingDecision {
    if ratio >= 1.0 {
        return SamplingDecision::RecordAndSample;
    }
    let bound = (ratio.max(0.0) * (1_u64 << 63) as f64) as u64;
    let [_, _, _, _, _, _, _, _, low @ ..] = trace_id.to_bytes();
    if u64::from_be_bytes(low) >> 1 < bound {
        SamplingDecision::RecordAndSample
    } else {
        SamplingDecision::Drop
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanKind, TraceFlags};
    use opentelemetry_sdk::trace::Sampler as SdkSampler;
    use proptest::prelude::*;

    fn decision(sampler: &Sampler, parent: &ParentIds, trace_id: TraceId) -> SamplingDecision {
        match sampler.decide(parent, trace_id) {
            Decision::Decided(decision) => decision,
            Decision::Delegate(sampler) => {
                sampler
                    .should_sample(None, trace_id, "", &SpanKind::Internal, &[], &[])
                    .decision
            }
        }
    }

    fn parent(is_remote: bool, sampled: bool) -> ParentIds {
        ParentIds {
            trace_id: TraceId::from(7),
            span_id: SpanId::from(7),
            flags: TraceFlags::default().with_sampled(sampled),
            is_remote,
        }
    }

    #[test]
    fn parent_based_sampler_has_five_branches() {
        let branches = |on: usize| {
            let pick = |index| {
                if on == index {
                    Sampler::AlwaysOn
                } else {
                    Sampler::AlwaysOff
                }
            };
            Sampler::from(
                ParentBased::new(pick(0))
                    .with_remote_parent_sampled(pick(1))
                    .with_remote_parent_not_sampled(pick(2))
                    .with_local_parent_sampled(pick(3))
                    .with_local_parent_not_sampled(pick(4)),
            )
        };
        let parents = [
            ParentIds::NONE,
            parent(true, true),
            parent(true, false),
            parent(false, true),
            parent(false, false),
        ];
        for on in 0..5 {
            for (index, parent) in parents.iter().enumerate() {
                let expected = if on == index {
                    SamplingDecision::RecordAndSample
                } else {
                    SamplingDecision::Drop
                };
                let decided = decision(&branches(on), parent, TraceId::from(7));
                assert_eq!(decided, expected, "branch {on}, parent {index}");
            }
        }
    }

    #[test]
    fn only_custom_samplers_need_a_context() {
        assert!(!Sampler::default().needs_context());
        let custom = SdkSampler::ParentBased(Box::new(SdkSampler::AlwaysOn));
        assert!(Sampler::from(custom.clone()).needs_context());
        assert!(Sampler::parent_based(custom).needs_context());
    }

    proptest! {
        #[test]
        fn ratio_sampler_samples_the_traces_that_the_official_one_samples(
            ratio in prop_oneof![-1.0_f64..2.0, Just(0.0), Just(1.0), Just(f64::NAN)],
            id in any::<u128>(),
        ) {
            let id = TraceId::from(id);
            let official = SdkSampler::TraceIdRatioBased(ratio)
                .should_sample(None, id, "", &SpanKind::Internal, &[], &[])
                .decision;
            prop_assert_eq!(decision(&Sampler::TraceIdRatioBased(ratio), &ParentIds::NONE, id), official);
        }
    }
}
