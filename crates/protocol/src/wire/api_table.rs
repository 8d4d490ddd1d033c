//! The macro behind [`ApiKey`](crate::ApiKey).

/// Declares `ApiKey` and its tables from one list.
macro_rules! api_keys {
    ($($name:ident = $key:literal, $min:literal..=$max:literal, $stable:literal, $flexible:expr,
        broker: $broker:literal, controller: $controller:literal;)+) => {
        use std::fmt;
        use std::ops::RangeInclusive;

        /// An API: a kind of request and its response.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {
            $(#[doc = concat!("`", stringify!($name), "`, versions ", $min, " to ", $max, ".")] $name = $key,)+
        }

        impl ApiKey {
            /// Every API, in ascending order of the key.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The API of this key, `None` if this release has no such API.
            pub const fn from_i16(key: i16) -> Option<Self> {
                match key {
                    $($key => Some(Self::$name),)+
                    _ => None,
                }
            }

            /// Kafka's name, such as `ListOffsets`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            /// The versions that can be decoded and encoded, an unstable newest one included.
            pub const fn versions(self) -> RangeInclusive<i16> {
                match self {
                    $(Self::$name => $min..=$max,)+
                }
            }

            /// The versions that a release advertises unless `unstable.api.versions.enable` is set.
            ///
            /// Kafka advertises Produce from version 0 on, because old librdkafka clients look for it, although it
            /// serves versions 3 and later only; that is up to the answer to ApiVersions.
            pub const fn stable_versions(self) -> RangeInclusive<i16> {
                match self {
                    $(Self::$name => $min..=$stable,)+
                }
            }

            /// The first version in the flexible encoding, `i16::MAX` if there is none.
            pub const fn first_flexible_version(self) -> i16 {
                match self {
                    $(Self::$name => $flexible,)+
                }
            }

            /// Whether brokers serve the API.
            pub const fn is_broker_api(self) -> bool {
                match self {
                    $(Self::$name => $broker,)+
                }
            }

            /// Whether controllers serve the API.
            pub const fn is_controller_api(self) -> bool {
                match self {
                    $(Self::$name => $controller,)+
                }
            }
        }

        impl ApiKey {
            /// The key on the wire.
            pub const fn key(self) -> i16 {
                self as i16
            }

            /// The version of the header in front of a request of this API and version, known or not.
            pub const fn request_header_version(self, version: i16) -> i16 {
                if version >= self.first_flexible_version() { 2 } else { 1 }
            }

            /// The version of the header in front of a response of this API and version.
            ///
            /// The answer to ApiVersions always has the oldest: its reader does not know yet what the sender speaks.
            pub const fn response_header_version(self, version: i16) -> i16 {
                let flexible = version >= self.first_flexible_version();
                if flexible && !matches!(self, Self::ApiVersions) { 1 } else { 0 }
            }
        }

        impl fmt::Display for ApiKey {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use api_keys;
