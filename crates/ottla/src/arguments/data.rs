//! What `produce` and `consume` take.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::{ConnectionArguments, name_and_value};
use crate::position::Position;

/// Which codec compresses batches.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Codec {
    /// No compression
    None,
    /// gzip
    Gzip,
    /// snappy
    Snappy,
    /// lz4
    Lz4,
    /// zstd
    Zstd,
}

/// Text between keys, values and records; `\t`, `\n`, `\r`, `\0` and `\\` stand for what they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separator(pub Vec<u8>);

impl FromStr for Separator {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let unescaped = match (character, character == '\\') {
                (_, false) => character,
                (_, true) => match characters.next() {
                    Some('t') => '\t',
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('0') => '\0',
                    Some('\\') => '\\',
                    _ => return Err("after a backslash stands t, n, r, 0 or \\".to_owned()),
                },
            };
            bytes.extend_from_slice(unescaped.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(Self(bytes))
    }
}

/// `ottla produce`.
#[derive(Debug, Args)]
#[command(after_help = "\
Lines are sent when the input pauses or a batch is full; every one of them is acknowledged by all
in-sync replicas, once, also when a broker goes away and comes back within the time limit.

  seq 1 1000 | ottla produce orders
  ottla produce orders orders.csv -k , -z zstd          # what stands before the first comma is the key
  ottla produce orders --delimiter '' --key logo logo.png        # each file is one record
  ottla consume orders --json | ottla produce copy --json        # keys, headers, times and all
  echo 'k:NULL' | ottla produce orders -k : --null NULL          # a tombstone")]
pub struct ProduceArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// The topic
    pub topic: String,
    /// Files to read; standard input when none is given
    pub files: Vec<PathBuf>,
    /// What stands between key and value in a line; without it a line is a value
    #[arg(long, short = 'k', value_name = "TEXT")]
    pub key_separator: Option<Separator>,
    /// The key of every record
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["key_separator", "json"])]
    pub key: Option<String>,
    /// A header for every record: name=value; may be repeated
    #[arg(long = "header", short = 'H', value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub headers: Vec<(String, String)>,
    /// Write to this partition; else by the key's hash, or in turn without a key
    #[arg(long, short, value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// A key or value of this text is null (as a value: a tombstone)
    #[arg(long, value_name = "TEXT", conflicts_with = "json")]
    pub null: Option<String>,
    /// What ends a record in the input, one byte; when empty, each file is one record
    #[arg(
        long,
        short = 'd',
        value_name = "TEXT",
        default_value = "\\n",
        conflicts_with = "json"
    )]
    pub delimiter: Separator,
    /// Lines are JSON objects, as `ottla consume --json` prints them
    #[arg(long, conflicts_with = "key_separator")]
    pub json: bool,
    /// How each batch is compressed
    #[arg(long, short = 'z', value_name = "CODEC", value_enum, default_value_t = Codec::None)]
    pub compression: Codec,
    /// Print where each batch was written: topic-partition, first to last offset
    #[arg(long, short)]
    pub verbose: bool,
}

/// `ottla consume`.
#[derive(Debug, Args)]
#[command(after_help = "\
Positions: earliest, latest, an offset (1500), records before the end (-100), a time
(@2026-01-31T12:00:00Z, @2026-01-31, or milliseconds since the epoch: @1767225600000), or a time
ago (-15m, -2h30m, -7d). Times are UTC unless they say otherwise.

  ottla consume orders --from -10 --verbose
  ottla consume orders --from @2026-01-31 --until @2026-02-01
  ottla consume orders --from latest --follow --json
  ottla consume orders --group audit --follow            # shares the partitions with other members
  ottla consume pictures -n 1 --delimiter '' > logo.png  # the bytes of a value, nothing added

--verbose puts partition, offset, time and headers before each record, with tabs between them.")]
pub struct ConsumeArguments {
    #[command(flatten)]
    pub connection: ConnectionArguments,
    /// The topic
    pub topic: String,
    /// Read only this partition; may be repeated
    #[arg(long = "partition", short, value_name = "PARTITION",
          value_parser = clap::value_parser!(i32).range(0..))]
    pub partitions: Vec<i32>,
    /// Where to begin; in a group, only where it has committed nothing
    #[arg(
        long,
        value_name = "POSITION",
        default_value = "earliest",
        allow_hyphen_values = true
    )]
    pub from: Position,
    /// Where to end
    #[arg(
        long,
        value_name = "POSITION",
        default_value = "latest",
        allow_hyphen_values = true,
        conflicts_with = "follow"
    )]
    pub until: Position,
    /// Go on as new records come, until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// End after this many records
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub max_records: Option<u64>,
    /// Read as a member of this group, and commit what was read
    #[arg(long, short, value_name = "GROUP", conflicts_with = "partitions")]
    pub group: Option<String>,
    /// Print partition, offset, time and headers too
    #[arg(long, short, conflicts_with = "json")]
    pub verbose: bool,
    /// Print each record as a JSON object on a line of its own
    #[arg(long)]
    pub json: bool,
    /// Print the key, and this text between it and the value
    #[arg(long, short = 'k', value_name = "TEXT", conflicts_with = "json")]
    pub key_separator: Option<Separator>,
    /// What to print for a null key or value
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "null",
        conflicts_with = "json"
    )]
    pub null: String,
    /// What to print after each record
    #[arg(
        long,
        short = 'd',
        value_name = "TEXT",
        default_value = "\\n",
        conflicts_with = "json"
    )]
    pub delimiter: Separator,
    /// Read the records of open and aborted transactions too
    #[arg(long)]
    pub uncommitted: bool,
}

#[cfg(test)]
mod tests {
    use super::Separator;

    #[test]
    fn separators() {
        for (text, expected) in [
            (":", Some(&b":"[..])),
            ("", Some(b"")),
            ("\\t", Some(b"\t")),
            ("=>\\n", Some(b"=>\n")),
            ("\\0", Some(b"\0")),
            ("\\\\", Some(b"\\")),
            ("\\x", None),
            ("\\", None),
        ] {
            let parsed = text.parse::<Separator>().ok();
            assert_eq!(parsed.as_ref().map(|one| &one.0[..]), expected, "{text:?}");
        }
    }
}
