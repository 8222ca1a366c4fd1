//! `RawJson`: the JSON text of a value that is read.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::capture::RAW_VALUE;

/// The JSON text of a value, as it stands there. Where serde has read the value before, as it does
/// for `#[serde(flatten)]` and `#[serde(untagged)]`, a [`RawValue`] would be an error: this is then
/// the text that the value would have.
pub(crate) struct RawJson(pub(crate) Box<RawValue>);

impl<'de> Deserialize<'de> for RawJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(RAW_VALUE, Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = RawJson;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    /// As `serde_json` gives the text.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawJson, A::Error> {
        Box::deserialize(MapAccessDeserializer::new(map)).map(RawJson)
    }

    /// As all else gives the value.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<RawJson, D::Error> {
        let value = Value::deserialize(value)?;
        to_raw_value(&value).map(RawJson).map_err(D::Error::custom)
    }
}
