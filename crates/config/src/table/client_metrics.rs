//! Properties of a client metrics subscription (KIP-714).

use super::row::notation::*;

#[rustfmt::skip]
pub(super) const PROPERTIES: &[Property] = properties! {
    "interval.ms": Int = "300000", Any, Medium PerResource, without(Feature::ClientMetrics);
        "How often matching clients push their metrics."
    "match": List = "", LIST, Medium PerResource, without(Feature::ClientMetrics);
        "Which clients the subscription is for, as selector=pattern."
    "metrics": List = "", LIST, Medium PerResource, without(Feature::ClientMetrics);
        "Prefixes of the metrics that are asked for; * is all."
};
