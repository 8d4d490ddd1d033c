//! ApiVersions (18): what this broker serves, and the features of the cluster (KIP-511, KIP-584).

use bytes::Bytes;
use ottla_protocol::messages::api_versions_request::ApiVersionsRequest;
use ottla_protocol::messages::api_versions_response::{
    ApiVersion, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use ottla_protocol::{ApiKey, ErrorCode};

use super::{APIS, FrameRefusal, Reply, RequestContext, encode};
use crate::net::Answer;

/// First version whose request names the client's software.
const FIRST_VERSION_WITH_SOFTWARE: i16 = 3;
/// First version whose clients understand a supported feature with minimum level 0 (KAFKA-17011).
const FIRST_VERSION_WITH_LEVEL_ZERO: i16 = 4;

/// Answers with the table of APIs and the feature levels.
pub fn handle(context: &RequestContext, request: ApiVersionsRequest) -> Reply<ApiVersionsResponse> {
    if context.version >= FIRST_VERSION_WITH_SOFTWARE
        && !(is_software_word(&request.client_software_name) && is_software_word(&request.client_software_version))
    {
        return Reply::Now(ApiVersionsResponse {
            error_code: ErrorCode::InvalidRequest.code(),
            ..Default::default()
        });
    }
    let image = context.broker.metadata.image();
    let supported_features = context
        .broker
        .supported_features()
        .filter(|feature| feature.min > 0 || context.version >= FIRST_VERSION_WITH_LEVEL_ZERO)
        .map(|feature| SupportedFeatureKey {
            name: feature.name.to_owned(),
            min_version: feature.min,
            max_version: feature.max,
            ..Default::default()
        })
        .collect();
    // A directory that another release wrote may say more than works here: clients are not told.
    let finalized_features = context
        .broker
        .supported_features()
        .map(|feature| (feature.name, image.features().level(feature.name).min(feature.max)))
        .filter(|(_, level)| *level > 0)
        .map(|(name, level)| FinalizedFeatureKey {
            name: name.to_owned(),
            min_version_level: level,
            max_version_level: level,
            ..Default::default()
        })
        .collect();
    Reply::Now(ApiVersionsResponse {
        api_keys: APIS.iter().map(|api| version_range(api.key)).collect(),
        supported_features,
        finalized_features_epoch: image.offset(),
        finalized_features,
        ..Default::default()
    })
}

/// Answers a request of a version that this broker does not know: in version 0's form, with only
/// this API's range, so that the client asks again on the same connection (KIP-511).
pub(super) fn unsupported_version(frame: Bytes) -> Result<Answer, FrameRefusal> {
    let Some(&[a, b, c, d]) = frame.get(4..).and_then(<[u8]>::first_chunk::<4>) else {
        return Err(FrameRefusal::TooShort(frame.len()));
    };
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: vec![version_range(ApiKey::ApiVersions)],
        ..Default::default()
    };
    let correlation_id = i32::from_be_bytes([a, b, c, d]);
    Ok(encode(&response, ApiKey::ApiVersions, 0, correlation_id).map_or(Answer::Close, Answer::Ready))
}

fn version_range(key: ApiKey) -> ApiVersion {
    let versions = key.stable_versions();
    ApiVersion {
        api_key: key.key(),
        // Old librdkafka clients take a broker without Produce 0 for one that cannot compress (KAFKA-18659).
        min_version: if key == ApiKey::Produce { 0 } else { *versions.start() },
        max_version: *versions.end(),
        ..Default::default()
    }
}

/// Letters and digits, with `-` and `.` allowed between them (KIP-511).
fn is_software_word(word: &str) -> bool {
    let bytes = word.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::is_software_word;

    #[test]
    fn software_words() {
        for (word, expected) in [
            ("librdkafka", true),
            ("a", true),
            ("apache-kafka-java", true),
            ("4.3.1", true),
            ("", false),
            ("-a", false),
            ("a.", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(is_software_word(word), expected, "{word:?}");
        }
    }
}
