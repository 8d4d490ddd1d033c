//! Java `.properties` text: what `server.properties` and `meta.properties` are written in.
//!
//! Source: the format that `java.util.Properties` documents. It differs in two points: text is
//! UTF-8 where it can be (Java reads Latin-1), and a line without a key is refused instead of
//! ignored.

use std::fmt::Write as _;

use thiserror::Error;

/// Why a text is not a properties file. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PropertiesError {
    /// `\u` is not followed by four hexadecimal digits.
    #[error(
        "line {line}: '\\u' must be followed by four hexadecimal digits, as in \\u00e9; \
         write '\\\\' for a backslash"
    )]
    MalformedUnicodeEscape {
        /// The line on which the entry starts.
        line: usize,
    },
    /// `\uXXXX` names half of a surrogate pair.
    #[error("line {line}: the \\u escapes do not make up a character (half of a surrogate pair)")]
    LoneSurrogate {
        /// The line on which the entry starts.
        line: usize,
    },
    /// The line has a value and no name before it.
    #[error("line {line}: there is no property name before '{separator}'")]
    MissingName {
        /// The line on which the entry starts.
        line: usize,
        /// The separator found where the name should be.
        separator: char,
    },
}

/// One `name=value` of a properties file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, escapes resolved.
    pub name: String,
    /// The value, escapes resolved; white space at its end is kept, as in Java.
    pub value: String,
    /// The line the entry starts on, from 1; 0 when it was not read from a text.
    pub line: usize,
}

/// The entries of a properties file, in the order of the file. When a name occurs twice, the last
/// one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    entries: Vec<Entry>,
}

impl Properties {
    /// No entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the bytes of a file: UTF-8, or Latin-1 when they are not UTF-8.
    pub fn parse_bytes(bytes: &[u8]) -> Result<Self, PropertiesError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::parse(text),
            Err(_) => Self::parse(
                &bytes
                    .iter()
                    .map(|&byte| char::from(byte))
                    .collect::<String>(),
            ),
        }
    }

    /// Reads the text of a file.
    pub fn parse(text: &str) -> Result<Self, PropertiesError> {
        let mut entries = Vec::new();
        for (line, logical_line) in logical_lines(text) {
            entries.push(parse_entry(&logical_line, line)?);
        }
        Ok(Self { entries })
    }

    /// The value of `name`, from its last entry.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.name == name)
            .map(|entry| entry.value.as_str())
    }

    /// Sets `name`, in the place of its earlier entries.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.entries.retain(|entry| entry.name != name);
        self.entries.push(Entry {
            name,
            value: value.into(),
            line: 0,
        });
    }

    /// All entries, in the order of the file, repeated names included.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The file's text: `comments` as `#` lines, then one `name=value` line for each entry.
    /// [`Properties::parse`] of it gives the same entries.
    pub fn to_text(&self, comments: &[&str]) -> String {
        let mut text = String::new();
        for comment in comments {
            for line in comment.lines() {
                text.push('#');
                text.push_str(line);
                text.push('\n');
            }
        }
        for entry in &self.entries {
            escape(&entry.name, Spaces::All, &mut text);
            text.push('=');
            escape(&entry.value, Spaces::Leading, &mut text);
            text.push('\n');
        }
        text
    }
}

/// Joins continued lines and drops comments and blank lines; gives the number of the first line of
/// each.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut result = Vec::new();
    let mut lines = natural_lines(text).into_iter().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start_matches(is_white_space);
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        while ends_in_continuation(&logical) {
            logical.pop();
            match lines.next() {
                Some((_, next)) => logical.push_str(next.trim_start_matches(is_white_space)),
                None => break,
            }
        }
        result.push((index + 1, logical));
    }
    result
}

/// Lines end in `\n`, `\r` or `\r\n`.
fn natural_lines(text: &str) -> Vec<&str> {
    text.split('\n')
        .flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
        .collect()
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\x0c')
}

fn ends_in_continuation(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

fn parse_entry(logical_line: &str, line: usize) -> Result<Entry, PropertiesError> {
    let name_end = end_of_name(logical_line);
    let (name, rest) = logical_line.split_at(name_end);
    let rest = rest.trim_start_matches(is_white_space);
    if name.is_empty() {
        let separator = rest.chars().next().unwrap_or('=');
        return Err(PropertiesError::MissingName { line, separator });
    }
    let value = rest
        .strip_prefix(['=', ':'])
        .unwrap_or(rest)
        .trim_start_matches(is_white_space);
    Ok(Entry {
        name: unescape(name, line)?,
        value: unescape(value, line)?,
        line,
    })
}

/// Where the name ends: at the first `=`, `:` or white space that no backslash protects.
fn end_of_name(logical_line: &str) -> usize {
    let mut escaped = false;
    for (index, character) in logical_line.char_indices() {
        match character {
            '\\' => escaped = !escaped,
            _ if escaped => escaped = false,
            '=' | ':' => return index,
            _ if is_white_space(character) => return index,
            _ => {}
        }
    }
    logical_line.len()
}

fn unescape(text: &str, line: usize) -> Result<String, PropertiesError> {
    let mut units: Vec<u16> = Vec::new();
    let mut result = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let escaped = if character == '\\' {
            characters.next()
        } else {
            None
        };
        if escaped == Some('u') {
            let digits: String = characters.by_ref().take(4).collect();
            let is_hexadecimal = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let unit = u16::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| is_hexadecimal);
            units.push(unit.ok_or(PropertiesError::MalformedUnicodeEscape { line })?);
            continue;
        }
        push_units(&mut units, &mut result, line)?;
        match escaped {
            None if character == '\\' => {}
            None => result.push(character),
            Some('t') => result.push('\t'),
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('f') => result.push('\x0c'),
            Some(other) => result.push(other),
        }
    }
    push_units(&mut units, &mut result, line)?;
    Ok(result)
}

/// Moves the UTF-16 units of consecutive `\u` escapes into the text.
fn push_units(
    units: &mut Vec<u16>,
    result: &mut String,
    line: usize,
) -> Result<(), PropertiesError> {
    for character in char::decode_utf16(units.drain(..)) {
        result.push(character.map_err(|_| PropertiesError::LoneSurrogate { line })?);
    }
    Ok(())
}

/// Which spaces [`escape`] protects: all in a name, those before the text in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spaces {
    All,
    Leading,
}

fn escape(text: &str, spaces: Spaces, result: &mut String) {
    let mut leading = true;
    for character in text.chars() {
        match character {
            ' ' if leading || spaces == Spaces::All => result.push_str("\\ "),
            '\t' => result.push_str("\\t"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\x0c' => result.push_str("\\f"),
            '\\' | '=' | ':' | '#' | '!' => {
                result.push('\\');
                result.push(character);
            }
            ' '..='~' => result.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(result, "\\u{unit:04X}").expect("a String takes any text");
                }
            }
        }
        leading &= character == ' ';
    }
}

#[cfg(test)]
mod tests;
