//! `import-schemas`: from the definitions inside a Kafka release's jars to our own text form.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use crate::schema::{Field, Kind, Message, Struct, Type, Versions};
use crate::{schema_text, schemas};

/// Where a family comes from.
struct Source {
    /// The jar's name up to its version.
    jar: &'static str,
    /// The folder of the definitions in the jar.
    folder: &'static str,
    /// The start of the definitions' names.
    prefix: &'static str,
    /// What the family is called here.
    family: &'static str,
}

/// Every family.
const SOURCES: [Source; 8] = [
    Source {
        jar: "kafka-clients-",
        folder: "common/message/",
        prefix: "",
        family: "wire",
    },
    Source {
        jar: "kafka-raft-",
        folder: "common/message/",
        prefix: "",
        family: "raft",
    },
    Source {
        jar: "kafka-metadata-",
        folder: "common/metadata/",
        prefix: "",
        family: "metadata",
    },
    Source {
        jar: "kafka-group-coordinator-",
        folder: "common/message/",
        prefix: "",
        family: "group",
    },
    Source {
        jar: "kafka-transaction-coordinator-",
        folder: "common/message/",
        prefix: "",
        family: "transaction",
    },
    Source {
        jar: "kafka-share-coordinator-",
        folder: "common/message/",
        prefix: "",
        family: "share",
    },
    Source {
        jar: "kafka-storage-",
        folder: "message/",
        prefix: "Producer",
        family: "storage",
    },
    Source {
        jar: "kafka-storage-",
        folder: "message/",
        prefix: "Remote",
        family: "remote_log",
    },
];

/// Why definitions could not be taken over.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error("reading {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("writing {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("reading the archive {path}: {source}")]
    Archive {
        path: PathBuf,
        source: zip::result::ZipError,
    },
    #[error(
        "no {prefix}VERSION.jar in {directory}; unpack a Kafka release and give its libs folder"
    )]
    NoJar {
        prefix: &'static str,
        directory: PathBuf,
    },
    #[error("{file} is not JSON: {source}")]
    Json {
        file: String,
        source: serde_json::Error,
    },
    #[error("{file}: cannot make sense of {what} in {context}")]
    Definition {
        file: String,
        what: &'static str,
        context: String,
    },
}

/// Imports every family from the jars in `directory`, replacing the schemas that are there.
pub fn run(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    for source in SOURCES {
        let jar = find_jar(directory, source.jar)?;
        let mut messages = read_jar(&jar, source.folder)?;
        messages.retain(|message| message.name.starts_with(source.prefix));
        write_family(source.family, &messages)?;
        println!(
            "{}: {} messages of {}",
            source.family,
            messages.len(),
            jar.display()
        );
    }
    Ok(())
}

/// The jar whose name is `prefix` and a version.
fn find_jar(directory: &Path, prefix: &'static str) -> Result<PathBuf, ImportError> {
    let read = |source| ImportError::Read {
        path: directory.to_owned(),
        source,
    };
    for entry in fs::read_dir(directory).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = entry.file_name();
        let rest = name
            .to_str()
            .and_then(|name| name.strip_prefix(prefix)?.strip_suffix(".jar"));
        if rest.is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit())) {
            return Ok(entry.path());
        }
    }
    Err(ImportError::NoJar {
        prefix,
        directory: directory.to_owned(),
    })
}

/// Every definition under `folder` in the jar, by name, without those that no version has any more.
fn read_jar(path: &Path, folder: &str) -> Result<Vec<Message>, ImportError> {
    let read = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let archive = |source| ImportError::Archive {
        path: path.to_owned(),
        source,
    };
    let mut jar = zip::ZipArchive::new(File::open(path).map_err(read)?).map_err(archive)?;
    let mut messages = Vec::new();
    for index in 0..jar.len() {
        let mut entry = jar.by_index(index).map_err(archive)?;
        let file = entry.name().to_owned();
        if !file.starts_with(folder) || !file.ends_with(".json") {
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text).map_err(read)?;
        messages.extend(read_definition(&file, &text)?);
    }
    messages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(messages)
}

fn write_family(family: &str, messages: &[Message]) -> Result<(), ImportError> {
    let directory = schemas().join(family);
    if directory.exists() {
        fs::remove_dir_all(&directory).map_err(|source| ImportError::Write {
            path: directory.clone(),
            source,
        })?;
    }
    fs::create_dir_all(&directory).map_err(|source| ImportError::Write {
        path: directory.clone(),
        source,
    })?;
    for message in messages {
        let path = directory.join(format!("{}.schema", message.name));
        fs::write(&path, schema_text::print(message))
            .map_err(|source| ImportError::Write { path, source })?;
    }
    Ok(())
}

/// Reads one definition; `None` if Kafka has given it up.
fn read_definition(file: &str, text: &str) -> Result<Option<Message>, ImportError> {
    let without_comments: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let json: Value =
        serde_json::from_str(&without_comments.join("\n")).map_err(|source| ImportError::Json {
            file: file.to_owned(),
            source,
        })?;
    let problem = |what| ImportError::Definition {
        file: file.to_owned(),
        what,
        context: json["name"].to_string(),
    };
    let versions = versions(&json["validVersions"]).ok_or_else(|| problem("the versions"))?;
    if versions.is_empty() {
        return Ok(None);
    }
    let listeners = json["listeners"].as_array().into_iter().flatten();
    let shared = json["commonStructs"].as_array().into_iter().flatten();
    Ok(Some(Message {
        kind: json["type"]
            .as_str()
            .and_then(Kind::parse)
            .ok_or_else(|| problem("the type"))?,
        name: json["name"]
            .as_str()
            .ok_or_else(|| problem("the name"))?
            .to_owned(),
        api_key: json["apiKey"].as_i64().and_then(|key| key.try_into().ok()),
        versions,
        flexible: self::versions(&json["flexibleVersions"])
            .ok_or_else(|| problem("the flexible versions"))?,
        listeners: listeners
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect(),
        latest_version_unstable: json["latestVersionUnstable"].as_bool().unwrap_or(false),
        fields: read_fields(file, &json["fields"])?,
        structs: shared
            .map(|shared| read_struct(file, shared))
            .collect::<Result<_, _>>()?,
    }))
}

fn versions(json: &Value) -> Option<Versions> {
    Versions::parse(json.as_str()?)
}

fn read_struct(file: &str, json: &Value) -> Result<Struct, ImportError> {
    let problem = |what| ImportError::Definition {
        file: file.to_owned(),
        what,
        context: json["name"].to_string(),
    };
    Ok(Struct {
        name: json["name"]
            .as_str()
            .ok_or_else(|| problem("the name"))?
            .to_owned(),
        versions: versions(&json["versions"]).ok_or_else(|| problem("the versions"))?,
        fields: read_fields(file, &json["fields"])?,
    })
}

fn read_fields(file: &str, json: &Value) -> Result<Vec<Field>, ImportError> {
    json.as_array()
        .into_iter()
        .flatten()
        .map(|field| read_field(file, field))
        .collect()
}

fn read_field(file: &str, json: &Value) -> Result<Field, ImportError> {
    let problem = |what| ImportError::Definition {
        file: file.to_owned(),
        what,
        context: json["name"].to_string(),
    };
    let tagged = match &json["taggedVersions"] {
        Value::Null => None,
        tagged => Some(versions(tagged).ok_or_else(|| problem("the tagged versions"))?),
    };
    let tag = json["tag"].as_u64().and_then(|tag| tag.try_into().ok());
    let name = json["name"].as_str().ok_or_else(|| problem("the name"))?;
    Ok(Field {
        name: name.trim().to_owned(),
        field_type: json["type"]
            .as_str()
            .and_then(Type::parse)
            .ok_or_else(|| problem("the type"))?,
        versions: versions(&json["versions"])
            .or(tagged)
            .ok_or_else(|| problem("the versions"))?,
        nullable: match &json["nullableVersions"] {
            Value::Null => Versions::NONE,
            nullable => versions(nullable).ok_or_else(|| problem("the nullable versions"))?,
        },
        tag: tag.zip(tagged),
        // A bare null is as if no default were given; "null" in quotes is one.
        default: match &json["default"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        },
        ignorable: json["ignorable"].as_bool().unwrap_or(false),
        never_flexible: json["flexibleVersions"] == "none",
        entity: json["entityType"].as_str().map(str::to_owned),
        fields: read_fields(file, &json["fields"])?,
    })
}
