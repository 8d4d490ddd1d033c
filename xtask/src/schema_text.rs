//! The text form of a definition: one line of the header for each fact, one line for each field.
//!
//! ```text
//! request FetchRequest
//! api 1
//! versions 4-18
//! flexible 12+
//! listeners broker controller
//!
//! ClusterId string 12+ null=12+ default=null tag=0:12+ ignorable
//! Topics []FetchTopic 0+
//!   Topic string 0-12 entity=topicName ignorable
//! ```
//!
//! Fields of a struct stand two columns further in than the field that introduces it. A struct that several fields
//! share stands at the end, under `struct NAME VERSIONS`. A default runs to the end of its word; an empty string is
//! `default=`.

use std::fmt::Write;

use thiserror::Error;

use crate::schema::{Field, Kind, Message, Struct, Type, Versions};

/// A line of a schema file that cannot be read.
#[derive(Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct ParseError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Problem {
    #[error("a known kind and a name expected")]
    Title,
    #[error("not a fact of the header")]
    Header,
    #[error("name, type and versions expected")]
    Field,
    #[error("not an attribute of a field")]
    Attribute,
    #[error("indented deeper than the struct it could belong to")]
    Indentation,
}

/// Writes a definition.
pub fn print(message: &Message) -> String {
    let mut out = format!("{} {}\n", message.kind.name(), message.name);
    if let Some(api_key) = message.api_key {
        let _ = writeln!(out, "api {api_key}");
    }
    let _ = writeln!(out, "versions {}", message.versions);
    let _ = writeln!(out, "flexible {}", message.flexible);
    if !message.listeners.is_empty() {
        let _ = writeln!(out, "listeners {}", message.listeners.join(" "));
    }
    if message.latest_version_unstable {
        out.push_str("latest-version-unstable\n");
    }
    out.push('\n');
    print_fields(&mut out, &message.fields, 0);
    for shared in &message.structs {
        let _ = writeln!(out, "\nstruct {} {}", shared.name, shared.versions);
        print_fields(&mut out, &shared.fields, 0);
    }
    out
}

fn print_fields(out: &mut String, fields: &[Field], depth: usize) {
    for field in fields {
        let _ = write!(out, "{:1$}", "", depth * 2);
        let _ = write!(
            out,
            "{} {} {}",
            field.name, field.field_type, field.versions
        );
        if !field.nullable.is_empty() {
            let _ = write!(out, " null={}", field.nullable);
        }
        if let Some(default) = &field.default {
            let _ = write!(out, " default={default}");
        }
        if let Some((tag, versions)) = field.tag {
            let _ = write!(out, " tag={tag}:{versions}");
        }
        if let Some(entity) = &field.entity {
            let _ = write!(out, " entity={entity}");
        }
        if field.ignorable {
            out.push_str(" ignorable");
        }
        if field.never_flexible {
            out.push_str(" never-flexible");
        }
        out.push('\n');
        print_fields(out, &field.fields, depth + 1);
    }
}

/// Reads a definition.
pub fn parse(text: &str) -> Result<Message, ParseError> {
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    let title = lines.next().and_then(|(_, line)| line.split_once(' '));
    let title = title.and_then(|(kind, name)| Some((Kind::parse(kind)?, name.to_owned())));
    let (kind, name) = title.ok_or(ParseError {
        line: 1,
        problem: Problem::Title,
    })?;
    let mut message = Message {
        kind,
        name,
        api_key: None,
        versions: Versions::NONE,
        flexible: Versions::NONE,
        listeners: Vec::new(),
        latest_version_unstable: false,
        fields: Vec::new(),
        structs: Vec::new(),
    };
    for (line, text) in lines.by_ref().take_while(|(_, text)| !text.is_empty()) {
        parse_fact(&mut message, text).ok_or(ParseError {
            line,
            problem: Problem::Header,
        })?;
    }
    for (line, text) in lines.filter(|(_, text)| !text.is_empty()) {
        parse_body_line(&mut message, text).map_err(|problem| ParseError { line, problem })?;
    }
    Ok(message)
}

/// Reads one line of the header after the title.
fn parse_fact(message: &mut Message, text: &str) -> Option<()> {
    let (key, value) = text.split_once(' ').unwrap_or((text, ""));
    match key {
        "api" => message.api_key = Some(value.parse().ok()?),
        "versions" => message.versions = Versions::parse(value)?,
        "flexible" => message.flexible = Versions::parse(value)?,
        "listeners" => message.listeners = value.split(' ').map(str::to_owned).collect(),
        "latest-version-unstable" => message.latest_version_unstable = true,
        _ => return None,
    }
    Some(())
}

/// Reads a field, or the head of a shared struct, and puts it where its indentation says.
fn parse_body_line(message: &mut Message, text: &str) -> Result<(), Problem> {
    if let Some(head) = text.strip_prefix("struct ") {
        let head = head.split_once(' ');
        let head = head.and_then(|(name, versions)| Some((name, Versions::parse(versions)?)));
        let (name, versions) = head.ok_or(Problem::Field)?;
        message.structs.push(Struct {
            name: name.to_owned(),
            versions,
            fields: Vec::new(),
        });
        return Ok(());
    }
    let words = text.trim_start();
    let depth = (text.len() - words.len()) / 2;
    let mut place = match message.structs.last_mut() {
        Some(shared) => &mut shared.fields,
        None => &mut message.fields,
    };
    for _ in 0..depth {
        place = &mut place.last_mut().ok_or(Problem::Indentation)?.fields;
    }
    place.push(parse_field(words)?);
    Ok(())
}

fn parse_field(text: &str) -> Result<Field, Problem> {
    let mut words = text.split(' ');
    let mut word = || words.next().ok_or(Problem::Field);
    let mut field = Field {
        name: word()?.to_owned(),
        field_type: Type::parse(word()?).ok_or(Problem::Field)?,
        versions: Versions::parse(word()?).ok_or(Problem::Field)?,
        nullable: Versions::NONE,
        tag: None,
        default: None,
        ignorable: false,
        never_flexible: false,
        entity: None,
        fields: Vec::new(),
    };
    for word in words {
        parse_attribute(&mut field, word).ok_or(Problem::Attribute)?;
    }
    Ok(field)
}

fn parse_attribute(field: &mut Field, word: &str) -> Option<()> {
    match word.split_once('=') {
        Some(("null", versions)) => field.nullable = Versions::parse(versions)?,
        Some(("default", default)) => field.default = Some(default.to_owned()),
        Some(("entity", entity)) => field.entity = Some(entity.to_owned()),
        Some(("tag", tag)) => {
            let (tag, versions) = tag.split_once(':')?;
            field.tag = Some((tag.parse().ok()?, Versions::parse(versions)?));
        }
        None if word == "ignorable" => field.ignorable = true,
        None if word == "never-flexible" => field.never_flexible = true,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "request FetchRequest\napi 1\nversions 4-18\nflexible 12+\nlisteners broker controller\n\
        latest-version-unstable\n\n\
        ClusterId string 12+ null=12+ default=null tag=0:12+ ignorable\n\
        Topics []FetchTopic 0+\n  Topic string 0-12 entity=topicName never-flexible\n  Epochs []Epoch 3\n\
        RackId string 11+ default=\n\
        \nstruct Epoch 3+\nNumber int32 0+ default=-1\n";

    #[test]
    fn what_is_printed_is_what_was_read() {
        let message = parse(SAMPLE).unwrap();
        assert_eq!(
            message.fields[1].fields[0].entity.as_deref(),
            Some("topicName")
        );
        assert_eq!(message.fields[2].default.as_deref(), Some(""));
        assert_eq!(message.structs[0].fields[0].default.as_deref(), Some("-1"));
        assert_eq!(print(&message), SAMPLE);
    }

    #[test]
    fn a_bad_line_is_named() {
        let check = |text, line, problem| {
            assert_eq!(parse(text).unwrap_err(), ParseError { line, problem });
        };
        check("query X", 1, Problem::Title);
        check("data X\nversion 3", 2, Problem::Header);
        check("data X\nversions 3\n\nA int33 0+", 4, Problem::Field);
        check(
            "data X\nversions 3\n\nA int32 0+ nul=3",
            4,
            Problem::Attribute,
        );
        check(
            "data X\nversions 3\n\n  A int32 0+",
            4,
            Problem::Indentation,
        );
    }
}
