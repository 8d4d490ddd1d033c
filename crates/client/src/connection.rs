//! One connection to a broker.

use std::collections::HashMap;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use ottla_protocol::messages::api_versions_request::ApiVersionsRequest;
use ottla_protocol::messages::{RequestHeader, ResponseHeader};
use ottla_protocol::{
    ApiKey, DecodeError, EncodeError, ErrorCode, Message, Reader, Request, Writer,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The largest response that is accepted; above it the connection is taken for something else.
const MAX_RESPONSE_BYTES: usize = 256 * 1024 * 1024;
/// The version of ApiVersions that is asked first; a broker that lacks it answers in version 0.
const API_VERSIONS_VERSION: i16 = 3;

/// No connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The socket could not be connected.
    #[error(
        "cannot connect to {address}: {source}; is a broker running there? --bootstrap names another address"
    )]
    Socket {
        /// `host:port` as asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// No connection within the time given.
    #[error("cannot connect to {address} within {} ms", timeout.as_millis())]
    TimedOut {
        /// `host:port` as asked for.
        address: String,
        /// The time given.
        timeout: Duration,
    },
    /// The other end does not speak Kafka's protocol, or refuses to.
    #[error(
        "what listens on {address} does not speak Kafka's protocol in plain text ({source}); is that the port of something else, or of a TLS listener?"
    )]
    Negotiation {
        /// `host:port` as asked for.
        address: String,
        /// What went wrong.
        source: RequestError,
    },
}

/// A request was not answered; the connection is not to be used again.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The socket failed or closed.
    #[error("the connection broke while waiting for {}: {source}", api.name())]
    Socket {
        /// The request's API.
        api: ApiKey,
        /// What the system said.
        source: io::Error,
    },
    /// No answer within the time given.
    #[error("no answer to {} within {} ms", api.name(), timeout.as_millis())]
    TimedOut {
        /// The request's API.
        api: ApiKey,
        /// The time given.
        timeout: Duration,
    },
    /// Broker and client share no version of this API.
    #[error("the broker does not serve {} in a version known here", api.name())]
    Unsupported {
        /// The request's API.
        api: ApiKey,
    },
    /// The request has a field that the shared version lacks.
    #[error("cannot encode {} for this broker: {source}", api.name())]
    Encode {
        /// The request's API.
        api: ApiKey,
        /// The field.
        source: EncodeError,
    },
    /// The answer is not what the protocol says.
    #[error("cannot decode the answer to {}: {source}", api.name())]
    Decode {
        /// The request's API.
        api: ApiKey,
        /// Where it went wrong.
        source: DecodeError,
    },
    /// The answer belongs to another request.
    #[error("the answer to {} carries correlation id {found} instead of {expected}", api.name())]
    Correlation {
        /// The request's API.
        api: ApiKey,
        /// The id sent.
        expected: i32,
        /// The id received.
        found: i32,
    },
    /// The answer's size is absurd.
    #[error("the answer to {} claims {size} bytes", api.name())]
    Size {
        /// The request's API.
        api: ApiKey,
        /// The size claimed, bytes.
        size: i32,
    },
}

/// A connection whose versions are negotiated.
pub struct Connection {
    stream: TcpStream,
    client_id: String,
    next_correlation_id: i32,
    versions: HashMap<i16, RangeInclusive<i16>>,
    request_timeout: Duration,
}

impl Connection {
    /// Connects to `address` (`host:port`) and asks which versions are served there.
    pub async fn connect(
        address: &str,
        client_id: &str,
        request_timeout: Duration,
    ) -> Result<Self, ConnectError> {
        let stream = timeout(request_timeout, TcpStream::connect(address))
            .await
            .map_err(|_| ConnectError::TimedOut {
                address: address.to_owned(),
                timeout: request_timeout,
            })?
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|source| ConnectError::Socket {
                address: address.to_owned(),
                source,
            })?;
        let mut connection = Self {
            stream,
            client_id: client_id.to_owned(),
            next_correlation_id: 0,
            versions: HashMap::new(),
            request_timeout,
        };
        connection
            .negotiate()
            .await
            .map_err(|source| ConnectError::Negotiation {
                address: address.to_owned(),
                source,
            })?;
        Ok(connection)
    }

    /// The highest version of `Q` that both ends know, if any.
    pub fn version_of<Q: Request>(&self) -> Option<i16> {
        let served = self.versions.get(&Q::API_KEY.key())?;
        let version = Q::MAX_VERSION.min(*served.end());
        (version >= Q::MIN_VERSION && version >= *served.start()).then_some(version)
    }

    /// The versions that the broker serves, by API key.
    pub fn served_versions(&self) -> &HashMap<i16, RangeInclusive<i16>> {
        &self.versions
    }

    /// Sends `request` in the highest shared version and waits for its answer.
    pub async fn request<Q: Request>(&mut self, request: &Q) -> Result<Q::Response, RequestError> {
        let version = self
            .version_of::<Q>()
            .ok_or(RequestError::Unsupported { api: Q::API_KEY })?;
        self.request_at(request, version).await
    }

    /// Sends `request` in the highest shared version that is not above `last_version`, such as the
    /// last one that names topics by name, and waits for its answer.
    pub async fn request_up_to<Q: Request>(
        &mut self,
        request: &Q,
        last_version: i16,
    ) -> Result<Q::Response, RequestError> {
        let served = self.versions.get(&Q::API_KEY.key());
        let version = self
            .version_of::<Q>()
            .map(|version| version.min(last_version))
            .filter(|version| served.is_some_and(|served| served.contains(version)))
            .ok_or(RequestError::Unsupported { api: Q::API_KEY })?;
        self.request_at(request, version).await
    }

    /// Sends `request` in `version` and waits for its answer.
    pub async fn request_at<Q: Request>(
        &mut self,
        request: &Q,
        version: i16,
    ) -> Result<Q::Response, RequestError> {
        self.request_within(request, version, self.request_timeout)
            .await
    }

    /// As [`Self::request_at`], with a time limit of its own (long polls).
    pub async fn request_within<Q: Request>(
        &mut self,
        request: &Q,
        version: i16,
        limit: Duration,
    ) -> Result<Q::Response, RequestError> {
        let api = Q::API_KEY;
        let mut reader = timeout(limit, self.exchange(request, version))
            .await
            .map_err(|_| RequestError::TimedOut {
                api,
                timeout: limit,
            })??;
        Q::Response::decode(&mut reader, version)
            .map_err(|source| RequestError::Decode { api, source })
    }

    async fn exchange<Q: Request>(
        &mut self,
        request: &Q,
        version: i16,
    ) -> Result<Reader, RequestError> {
        let api = Q::API_KEY;
        let broken = |source| RequestError::Socket { api, source };
        let correlation_id = self.next_correlation_id;
        self.next_correlation_id = self.next_correlation_id.wrapping_add(1);
        let header = RequestHeader {
            request_api_key: api.key(),
            request_api_version: version,
            correlation_id,
            client_id: Some(self.client_id.clone()),
            ..Default::default()
        };
        let mut writer = Writer::framed();
        header
            .encode(&mut writer, api.request_header_version(version))
            .and_then(|()| request.encode(&mut writer, version))
            .map_err(|source| RequestError::Encode { api, source })?;
        let request = writer.into_bytes();
        self.stream.write_all(&request).await.map_err(broken)?;
        let response = self.read_frame(api).await?;
        let mut reader = Reader::new(response);
        let header = ResponseHeader::decode(&mut reader, api.response_header_version(version))
            .map_err(|source| RequestError::Decode { api, source })?;
        if header.correlation_id != correlation_id {
            return Err(RequestError::Correlation {
                api,
                expected: correlation_id,
                found: header.correlation_id,
            });
        }
        Ok(reader)
    }

    async fn read_frame(&mut self, api: ApiKey) -> Result<Bytes, RequestError> {
        let broken = |source| RequestError::Socket { api, source };
        let size = self.stream.read_i32().await.map_err(broken)?;
        let length = usize::try_from(size)
            .ok()
            .filter(|length| *length <= MAX_RESPONSE_BYTES)
            .ok_or(RequestError::Size { api, size })?;
        // Grows with what arrives, not with what the size claims.
        let mut frame = BytesMut::new();
        let mut limited = (&mut self.stream).take(length as u64);
        while frame.len() < length {
            if limited.read_buf(&mut frame).await.map_err(broken)? == 0 {
                return Err(broken(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        Ok(frame.freeze())
    }

    async fn negotiate(&mut self) -> Result<(), RequestError> {
        let api = ApiKey::ApiVersions;
        let request = ApiVersionsRequest {
            client_software_name: "ottla".to_owned(),
            client_software_version: env!("CARGO_PKG_VERSION").to_owned(),
            ..Default::default()
        };
        let limit = self.request_timeout;
        let timed_out = |_| RequestError::TimedOut {
            api,
            timeout: limit,
        };
        let reader = timeout(limit, self.exchange(&request, API_VERSIONS_VERSION))
            .await
            .map_err(timed_out)??;
        // A broker that lacks this version answers error 35 in version 0's form; the error comes first in both.
        let unsupported = reader.clone().i16() == Ok(ErrorCode::UnsupportedVersion.code());
        let response = if unsupported {
            self.request_at(&ApiVersionsRequest::default(), 0).await?
        } else {
            let mut reader = reader;
            Message::decode(&mut reader, API_VERSIONS_VERSION)
                .map_err(|source| RequestError::Decode { api, source })?
        };
        let response: ottla_protocol::messages::ApiVersionsResponse = response;
        self.versions = response
            .api_keys
            .iter()
            .map(|served| (served.api_key, served.min_version..=served.max_version))
            .collect();
        Ok(())
    }
}
