//! What of capture the public API does not reach: other rules, and inputs.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use serde::de::IgnoredAny;
use serde::ser::{
    Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTupleVariant, Serializer,
};
use serde_json::json;

use super::text::HEAD_BYTES;
use super::*;
use crate::payload::Marks;

fn limited(bytes: usize) -> Rules {
    Rules { max_bytes: Some(bytes), ..Rules::default() }
}

fn value<T: Serialize + ?Sized>(rules: &Rules, value: &T) -> Payload {
    super::value(rules, value).into_payload()
}

fn object(rules: &Rules, fill: impl FnOnce(&mut Fields<'_>)) -> Payload {
    super::object(rules, fill).into_payload()
}

#[test]
fn object_without_fields_is_empty() {
    assert_eq!(object(&Rules::default(), |_| {}).as_json(), "{}");
}

struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        resume_unwind(Box::new("no"))
    }
}

#[test]
fn fields_do_not_harm_each_other() {
    let payload = object(&Rules::default(), |fields| {
        fields.field(",\"a\":", &1);
        fields.redacted(",\"b\":");
        fields.field(",\"Token\":", &2);
        fields.field(",\"c\":", &Panics);
        fields.field(",\"d\":", "x");
    });
    let text = r#"{"a":1,"b":"***","Token":"***","c":{"$error":"panicked: no"},"d":"x"}"#;
    assert_eq!(payload.as_json(), text);
}

#[test]
fn fields_that_do_not_fit_are_cut() {
    let payload = object(&limited(30), |fields| {
        fields.field(",\"a\":", &1);
        fields.field(",\"b\":", &"x".repeat(1_000));
        fields.field(",\"c\":", &2);
    });
    let head = format!(r#""\"{}\"""#, "x".repeat(1_000));
    let (b, c) = (cut_mark(1_002, &head), cut_mark(1, r#""2""#));
    assert_eq!(payload.as_json(), format!(r#"{{"a":1,"b":{b},"c":{c}}}"#));
}

fn cut_mark(bytes: usize, head: &str) -> String {
    format!(r#"{{"$cut":{{"bytes":{bytes},"head":{head}}}}}"#)
}

#[test]
fn limit_is_that_of_all_the_text() {
    let text = |limit| object(&limited(limit), |fields| fields.field(",\"a\":", "xx")).to_string();
    assert_eq!(text(10), r#"{"a":"xx"}"#);
    assert_eq!(text(9), r#"{"a":{"$cut":{"bytes":4,"head":"\"xx\""}}}"#);
    assert_eq!(value(&limited(4), "xx").as_json(), r#""xx""#);
    assert_eq!(value(&limited(3), "xx").as_json(), cut_mark(4, r#""\"xx\"""#));
}

#[test]
fn rules_are_those_that_were_given() {
    let masks = Masks::new(["name"]);
    let rules = Rules { max_bytes: None, max_depth: Some(1), masks, ..Rules::default() };
    let text = value(&rules, &json!({"Name": 1, "password": 2, "deep": [1]})).to_string();
    let deep = r#"{"$cut":{"bytes":null,"head":"["}}"#;
    assert_eq!(text, format!(r#"{{"Name":"***","deep":{deep},"password":2}}"#));
    assert!(value(&rules, &"x".repeat(3 << 20)).is_whole());
    assert_eq!(
        object(&rules, |fields| fields.field(",\"a\":", &[1])).to_string(),
        format!(r#"{{"a":{deep}}}"#)
    );
}

#[test]
fn named_values_are_masked_by_their_name() {
    assert_eq!(named(&Rules::default(), "api-key", &1).as_json(), r#""***""#);
    assert_eq!(named(&Rules::default(), "model", &1).as_json(), "1");
}

#[test]
fn without_a_limit_of_depth_the_stack_does_not_overflow() {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Deep {
        Leaf,
        Seq(Vec<Deep>),
        Map(BTreeMap<u8, Deep>),
        Some(Option<Box<Deep>>),
    }
    let capture = |nest: fn(Deep) -> Deep| {
        let value = (0..10_000).fold(Deep::Leaf, |inner, _| nest(inner));
        let payload =
            super::value(&Rules { max_depth: None, ..Rules::default() }, &value).into_payload();
        mem::forget(value); // Its drop is not ours, and overflows.
        assert!(!payload.to_value().is_string() && !payload.is_whole());
    };
    let capture = move || {
        capture(|inner| Deep::Seq(vec![inner]));
        capture(|inner| Deep::Map([(1, inner)].into()));
        capture(|inner| Deep::Some(Some(Box::new(inner))));
    };
    thread::Builder::new().stack_size(2 << 20).spawn(capture).unwrap().join().unwrap();
}

/// A value that is made up while it is serialised, and breaks every rule.
struct Random(Cell<u64>);

impl Random {
    fn below(&self, limit: u64) -> usize {
        let state = self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0.set(state);
        ((state >> 33) % limit) as usize
    }

    fn text(&self) -> String {
        let parts =
            ["", "a", "\"", "\n\u{1}", "é\u{1f980}", "{\"$cut\":{", "x\\", "long and longer "];
        (0..self.below(4)).map(|_| parts[self.below(8)].repeat(self.below(9))).collect()
    }
}

const LEAK: &str = "LEAK";

impl Serialize for Random {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.below(24) {
            0 => serializer.serialize_none(),
            1 => serializer.serialize_f64(self.below(1_000) as f64 / 7.0),
            2 => serializer.serialize_i64(-(self.below(1_000_000) as i64)),
            3 => serializer.serialize_char('"'),
            4 | 5 => serializer.serialize_str(&self.text()),
            6 => serializer.collect_str(&self.text()),
            7 => serializer.serialize_bytes(self.text().as_bytes()),
            8 => serializer.serialize_some(self),
            9 => serializer.serialize_newtype_variant("", 0, "\"", self),
            10 => serializer.serialize_newtype_variant("", 0, "Token", LEAK),
            11..14 => self.seq(serializer),
            14..17 => self.map(serializer),
            17..19 => self.fields(serializer),
            19..21 => self.raw(serializer),
            21 => self.variant(serializer),
            22 => Err(S::Error::custom(self.text())),
            _ if self.below(4) == 0 => resume_unwind(Box::new("panic")),
            _ => serializer.serialize_unit(),
        }
    }
}

impl Random {
    fn seq<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut seq = serializer.serialize_seq(None)?;
        for _ in 0..self.below(5) {
            if self.below(8) > 0 {
                seq.serialize_element(self)?;
            } else {
                let element = || seq.serialize_element(&(self, self)).is_ok();
                let _ = catch_unwind(AssertUnwindSafe(element));
            }
        }
        seq.end()
    }

    fn map<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for _ in 0..self.below(5) {
            match self.below(12) {
                0 => drop(map.serialize_key(self)),
                1 => drop(map.serialize_value(self)),
                2 => map.serialize_entry("Pass\u{57}ord", LEAK)?,
                3 => map.serialize_entry(&format_args!("{}", "api-key"), LEAK)?,
                _ => map.serialize_entry(self, self)?,
            }
        }
        map.end()
    }

    fn fields<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("", 3)?;
        fields.serialize_field("a", self)?;
        let _ = fields.serialize_field("b\"", self);
        fields.serialize_field("secret", LEAK)?;
        fields.end()
    }

    fn variant<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.below(2) == 0 {
            let mut variant = serializer.serialize_struct_variant("", 0, "Cookie", 1)?;
            variant.serialize_field("a", LEAK)?;
            return variant.end();
        }
        let mut variant = serializer.serialize_tuple_variant("", 0, "Tuple", 2)?;
        variant.serialize_field(self)?;
        variant.serialize_field(self)?;
        variant.end()
    }

    fn raw<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = r#"{"a": [1, {"Pass\u0077ord": ["LEAK", {"a": "LEAK"}], "b": [[["x"]]]}, "é"]}"#;
        let json = if self.below(2) == 0 {
            json
        } else {
            &json[..json.floor_char_boundary(self.below(70))]
        };
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        match self.below(8) {
            0 => raw.serialize_field(RAW_VALUE, self)?,
            1 => drop(raw.serialize_field(RAW_VALUE, &(1, self))),
            _ => raw.serialize_field(RAW_VALUE, json)?,
        }
        if self.below(8) == 0 {
            raw.serialize_field(RAW_VALUE, "1")?;
        }
        raw.end()
    }
}

/// Checks what every payload keeps, and tells whether this one is whole.
fn check_random(seed: u64) -> bool {
    let random = Random(Cell::new(seed));
    let max_bytes = [None, Some(10), Some(100), Some(2_000)][random.below(4)];
    let max_depth = [None, Some(0), Some(2), Some(10)][random.below(4)];
    let rules = Rules { max_bytes, max_depth, ..Rules::default() };
    let payload = object(&rules, |fields| {
        fields.field(",\"a\":", &random);
        fields.field(",\"b\":", &random);
    });
    let text = payload.as_json();
    assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{seed}: {text}");
    assert!(text.len() < max_bytes.unwrap_or(usize::MAX / 2) + 8_192, "{seed}: {text}");
    assert!(depth(text) <= max_depth.unwrap_or(MAX_DEPTH).max(1) + 2, "{seed}: {text}");
    assert!(!text.contains(LEAK), "{seed}: {text}");
    assert!(marks(text) == Marks::NONE || !payload.is_whole(), "{seed}: {text}");
    let next = value(&Rules::default(), &[Some(1)]);
    assert!(next.is_whole() && next.as_json() == "[1]", "{seed} has left something behind: {next}");
    payload.is_whole()
}

#[test]
fn whatever_serialize_does_gives_valid_json() {
    let whole = (0..20_000).filter(|seed| check_random(*seed)).count();
    assert!((2_000..18_000).contains(&whole), "{whole} of the payloads are whole");
}

/// What stands between the quotes.
fn content(string: &Payload) -> &str {
    string.as_json().strip_prefix('"').unwrap().strip_suffix('"').unwrap()
}

/// What values come to that are captured each for itself, and then put together.
fn put_together(rules: &Rules, values: &[Payload], join: Join) -> String {
    let limit = rules.max_bytes.unwrap_or(usize::MAX);
    let (mut built, mut fits) = (String::new(), true);
    let mut text = String::from(if join == Join::List { "[" } else { "\"" });
    for (n, value) in values.iter().enumerate() {
        match join {
            Join::List => text += &format!("{}{value}", if n == 0 { "" } else { "," }),
            Join::Concat if value.as_json().starts_with('"') => text += content(value),
            Join::Concat => text += content(&Payload::new(value.as_json())),
        }
        if fits {
            built.clone_from(&text);
        }
        fits &= text.len() < limit;
    }
    text.push(if join == Join::List { ']' } else { '"' });
    if fits {
        return text;
    }
    cut(rules, text.len(), &built[..built.floor_char_boundary(HEAD_BYTES)])
        .into_payload()
        .to_string()
}

/// Values that are joined are what they are alone, and so is what they come to.
fn check_joined(seed: u64) {
    let random = Random(Cell::new(seed));
    let max_bytes = [None, Some(5), Some(100), Some(2_000)][random.below(4)];
    let rules = Rules { max_bytes, max_depth: Some(10), ..Rules::default() };
    let join = [Join::List, Join::Concat][random.below(2)];
    let mut joined = Joined::new(join, &rules);
    let mut alone = Vec::new();
    for n in 0..=random.below(6) as u64 {
        let mut own = Payload::null();
        joined.add(&rules, &Random(Cell::new(seed + n)), Some(&mut own));
        alone.push(value(&rules, &Random(Cell::new(seed + n))));
        let last = alone.last().unwrap();
        assert_eq!((&own, own.marks()), (last, last.marks()), "{seed}");
    }
    let whole = joined.finish(&rules).into_payload();
    assert_eq!(whole.as_json(), put_together(&rules, &alone, join), "{seed}");
}

#[test]
fn joined_values_are_what_they_are_alone() {
    (0..5_000).for_each(check_joined);
}
