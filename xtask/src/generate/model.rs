//! What the generator works on: every struct of a message on its own, each field with what Rust makes of it.

use super::GenerateError;
use crate::names;
use crate::schema::{Field, Message, Type, Versions};

/// One struct to generate.
pub struct StructModel<'a> {
    /// The message it belongs to.
    pub message: &'a Message,
    pub name: &'a str,
    /// The versions in which the struct can occur.
    pub context: Versions,
    /// Its fields, without those that no supported version has.
    pub fields: Vec<FieldModel<'a>>,
}

/// One field to generate.
pub struct FieldModel<'a> {
    pub schema: &'a Field,
    /// The field's name in Rust.
    pub name: String,
    /// `Message.field`, for errors.
    pub path: String,
    /// The versions of the context in which it is an ordinary field.
    pub plain: Versions,
    /// The tag, and the versions of the context in which it is a tagged field.
    pub tag: Option<(u32, Versions)>,
    /// The versions of the context in which it may be null.
    pub nullable: Versions,
    /// The default, as a Rust expression.
    pub default: String,
}

impl FieldModel<'_> {
    /// Whether Rust has an `Option` for it.
    pub fn is_option(&self) -> bool {
        self.schema.field_type == Type::Records || !self.nullable.is_empty()
    }

    /// The field's type in Rust.
    pub fn rust_type(&self) -> String {
        let plain = rust_type(&self.schema.field_type);
        match &self.schema.field_type {
            Type::Struct(_) if self.is_option() => format!("Option<Box<{plain}>>"),
            _ if self.is_option() => format!("Option<{plain}>"),
            _ => plain,
        }
    }
}

/// The Rust type of a schema type that is not null.
pub fn rust_type(field_type: &Type) -> String {
    match field_type {
        Type::Bool => "bool".into(),
        Type::Int8 => "i8".into(),
        Type::Int16 => "i16".into(),
        Type::Uint16 => "u16".into(),
        Type::Int32 => "i32".into(),
        Type::Uint32 => "u32".into(),
        Type::Int64 => "i64".into(),
        Type::Float64 => "f64".into(),
        Type::Uuid => "Uuid".into(),
        Type::String => "String".into(),
        Type::Bytes => "Bytes".into(),
        Type::Records => "Records".into(),
        Type::Struct(name) => name.clone(),
        Type::Array(element) => format!("Vec<{}>", rust_type(element)),
    }
}

/// A condition on `version` within a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    Always,
    Never,
    /// A Rust expression.
    If(String),
}

/// When `versions` holds, for a `version` that is known to be in `context`.
pub fn condition(versions: Versions, context: Versions) -> Condition {
    let range = versions.intersect(context);
    if range.is_empty() {
        return Condition::Never;
    }
    match (
        range.lowest > context.lowest,
        range.highest < context.highest,
    ) {
        (false, false) => Condition::Always,
        _ if range.lowest == range.highest && range.highest < context.highest => {
            Condition::If(format!("version == {}", range.lowest))
        }
        (true, false) => Condition::If(format!("version >= {}", range.lowest)),
        (false, true) => Condition::If(format!("version <= {}", range.highest)),
        (true, true) => Condition::If(format!(
            "({}..={}).contains(&version)",
            range.lowest, range.highest
        )),
    }
}

/// A Rust expression that holds for the versions of `context` outside of `versions`; `None` if there are none.
pub fn outside(versions: Versions, context: Versions) -> Option<String> {
    let range = versions.intersect(context);
    match (
        range.lowest > context.lowest,
        range.highest < context.highest,
    ) {
        (false, false) => None,
        (true, false) => Some(format!("version < {}", range.lowest)),
        (false, true) => Some(format!("version > {}", range.highest)),
        (true, true) => Some(format!(
            "!({}..={}).contains(&version)",
            range.lowest, range.highest
        )),
    }
}

/// Every struct of a message: the message itself first, then those it uses, in the order of their first use.
pub fn structs(message: &Message) -> Result<Vec<StructModel<'_>>, GenerateError> {
    let mut found = vec![struct_model(
        message,
        &message.name,
        &message.fields,
        message.versions,
    )?];
    let mut next = 0;
    while next < found.len() {
        let fields: Vec<(&Field, Versions)> = found[next]
            .fields
            .iter()
            .map(|field| (field.schema, field.schema.versions))
            .collect();
        let context = found[next].context;
        for (field, versions) in fields {
            let Some(name) = field.field_type.struct_name() else {
                continue;
            };
            if found.iter().any(|known| known.name == name) {
                continue;
            }
            let model = if field.fields.is_empty() {
                let shared = message.structs.iter().find(|shared| shared.name == name);
                let shared = shared.ok_or_else(|| GenerateError::UnknownStruct {
                    message: message.name.clone(),
                    name: name.to_owned(),
                })?;
                let context = message.versions.intersect(shared.versions);
                struct_model(message, name, &shared.fields, context)?
            } else {
                struct_model(message, name, &field.fields, context.intersect(versions))?
            };
            found.push(model);
        }
        next += 1;
    }
    Ok(found)
}

fn struct_model<'a>(
    message: &'a Message,
    name: &'a str,
    fields: &'a [Field],
    context: Versions,
) -> Result<StructModel<'a>, GenerateError> {
    let mut models = Vec::new();
    for schema in fields {
        let tag = schema
            .tag
            .map(|(tag, versions)| (tag, versions.intersect(context)));
        let tag = tag.filter(|(_, versions)| !versions.is_empty());
        let plain = match tag {
            // A field that becomes a tagged one is an ordinary one until then.
            Some((_, tagged)) => {
                let before = Versions {
                    lowest: 0,
                    highest: tagged.lowest - 1,
                };
                schema.versions.intersect(context).intersect(before)
            }
            None => schema.versions.intersect(context),
        };
        if plain.is_empty() && tag.is_none() {
            continue;
        }
        let nullable = schema
            .nullable
            .intersect(schema.versions)
            .intersect(context);
        let field = names::field_name(&schema.name);
        models.push(FieldModel {
            schema,
            path: format!("{}.{field}", name),
            plain,
            tag,
            nullable,
            default: default_expression(message, schema, !nullable.is_empty())?,
            name: field,
        });
    }
    Ok(StructModel {
        message,
        name,
        context,
        fields: models,
    })
}

/// The default of a field as a Rust expression.
fn default_expression(
    message: &Message,
    field: &Field,
    nullable: bool,
) -> Result<String, GenerateError> {
    let text = field.default.as_deref();
    if field.field_type == Type::Records || text == Some("null") {
        return Ok("None".into());
    }
    let problem = || GenerateError::Default {
        message: message.name.clone(),
        field: field.name.clone(),
        default: text.unwrap_or_default().to_owned(),
    };
    let integer = || match text.unwrap_or("0") {
        "" => Some("0".to_owned()),
        text => match text.strip_prefix("0x") {
            Some(hex) => i64::from_str_radix(hex, 16)
                .ok()
                .map(|value| value.to_string()),
            None => text.parse::<i64>().ok().map(|value| value.to_string()),
        },
    };
    let plain = match &field.field_type {
        Type::Bool => text
            .unwrap_or("false")
            .parse::<bool>()
            .map_err(|_| problem())?
            .to_string(),
        Type::Float64 => format!(
            "{:?}",
            text.unwrap_or("0").parse::<f64>().map_err(|_| problem())?
        ),
        Type::String if text.unwrap_or("").is_empty() => "String::new()".into(),
        Type::String => format!("String::from({:?})", text.unwrap_or_default()),
        Type::Uuid if text.is_none() => "Uuid::ZERO".into(),
        Type::Bytes if text.unwrap_or("").is_empty() => "Bytes::new()".into(),
        Type::Array(_) if text.unwrap_or("").is_empty() => "Vec::new()".into(),
        Type::Struct(name) if text.is_none() && nullable => {
            return Ok(format!("Some(Box::new({name}::default()))"));
        }
        Type::Struct(name) if text.is_none() => format!("{name}::default()"),
        Type::Uuid | Type::Bytes | Type::Array(_) | Type::Struct(_) | Type::Records => {
            return Err(problem());
        }
        _ => integer().ok_or_else(problem)?,
    };
    Ok(if nullable {
        format!("Some({plain})")
    } else {
        plain
    })
}
