//! What a message definition says.

use std::fmt;

/// A closed range of versions; empty if `lowest > highest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// The first version.
    pub lowest: i16,
    /// The last version; `i16::MAX` for "and all later ones".
    pub highest: i16,
}

impl Versions {
    /// No version at all.
    pub const NONE: Self = Self {
        lowest: 0,
        highest: -1,
    };

    /// Reads Kafka's notation: `3`, `0-4`, `2+` or `none`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::NONE);
        }
        if let Some(lowest) = text.strip_suffix('+') {
            return Some(Self {
                lowest: lowest.parse().ok()?,
                highest: i16::MAX,
            });
        }
        let (lowest, highest) = text.split_once('-').unwrap_or((text, text));
        Some(Self {
            lowest: lowest.parse().ok()?,
            highest: highest.parse().ok()?,
        })
    }

    /// Whether there is no version in the range.
    pub fn is_empty(self) -> bool {
        self.lowest > self.highest
    }

    /// The versions in both ranges.
    pub fn intersect(self, other: Self) -> Self {
        Self {
            lowest: self.lowest.max(other.lowest),
            highest: self.highest.min(other.highest),
        }
    }

    /// Whether `version` is in the range.
    pub fn contains(self, version: i16) -> bool {
        (self.lowest..=self.highest).contains(&version)
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.lowest, self.highest) {
            _ if self.is_empty() => f.write_str("none"),
            (lowest, i16::MAX) => write!(f, "{lowest}+"),
            (lowest, highest) if lowest == highest => write!(f, "{lowest}"),
            (lowest, highest) => write!(f, "{lowest}-{highest}"),
        }
    }
}

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Request,
    Response,
    Header,
    Data,
    Metadata,
    CoordinatorKey,
    CoordinatorValue,
}

impl Kind {
    /// Every kind with its name in Kafka's definitions.
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Request, "request"),
        (Self::Response, "response"),
        (Self::Header, "header"),
        (Self::Data, "data"),
        (Self::Metadata, "metadata"),
        (Self::CoordinatorKey, "coordinator-key"),
        (Self::CoordinatorValue, "coordinator-value"),
    ];

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }

    /// Kafka's name of the kind.
    pub fn name(self) -> &'static str {
        let entry = Self::NAMES.iter().find(|(kind, _)| *kind == self);
        entry.expect("NAMES has every kind").1
    }
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Type>),
}

impl Type {
    /// Reads Kafka's notation, such as `int32`, `[]string` or `[]FetchTopic`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(element) = text.strip_prefix("[]") {
            return Some(Self::Array(Box::new(Self::parse(element)?)));
        }
        Some(match text {
            "bool" => Self::Bool,
            "int8" => Self::Int8,
            "int16" => Self::Int16,
            "uint16" => Self::Uint16,
            "int32" => Self::Int32,
            "uint32" => Self::Uint32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "uuid" => Self::Uuid,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "records" => Self::Records,
            _ if text.starts_with(|c: char| c.is_ascii_uppercase()) => {
                Self::Struct(text.to_owned())
            }
            _ => return None,
        })
    }

    /// The name of the struct that this type is, or is an array of.
    pub fn struct_name(&self) -> Option<&str> {
        match self {
            Self::Struct(name) => Some(name),
            Self::Array(element) => element.struct_name(),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Uint16 => "uint16",
            Self::Int32 => "int32",
            Self::Uint32 => "uint32",
            Self::Int64 => "int64",
            Self::Float64 => "float64",
            Self::Uuid => "uuid",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Records => "records",
            Self::Struct(name) => name,
            Self::Array(element) => return write!(f, "[]{element}"),
        })
    }
}

/// One field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Kafka's name.
    pub name: String,
    pub field_type: Type,
    /// The versions that have the field.
    pub versions: Versions,
    /// The versions that allow null.
    pub nullable: Versions,
    /// The tag, and the versions in which the field is a tagged one.
    pub tag: Option<(u32, Versions)>,
    /// The default as Kafka writes it, if the definition gives one.
    pub default: Option<String>,
    /// Whether a value is dropped silently in versions that lack the field.
    pub ignorable: bool,
    /// Whether the field keeps the old encoding in flexible versions.
    pub never_flexible: bool,
    /// What the value stands for, such as `brokerId`.
    pub entity: Option<String>,
    /// The fields of the struct that this field introduces.
    pub fields: Vec<Field>,
}

/// A struct that several fields of a message share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Struct {
    pub name: String,
    pub versions: Versions,
    pub fields: Vec<Field>,
}

/// A whole definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub kind: Kind,
    pub name: String,
    /// The API key, or the type of a stored record.
    pub api_key: Option<i16>,
    pub versions: Versions,
    pub flexible: Versions,
    /// Which nodes serve the request: `broker`, `controller`.
    pub listeners: Vec<String>,
    pub latest_version_unstable: bool,
    pub fields: Vec<Field>,
    pub structs: Vec<Struct>,
}
