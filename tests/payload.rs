//! Payloads: what is captured of a value, and what is given back.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::iter::repeat;
use std::mem;
use std::thread;

use expect_test::{Expect, expect};
use serde::ser::{Error as _, SerializeMap, SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use timbal::{Payload, PayloadError};

#[track_caller]
fn check<T: Serialize + ?Sized>(value: &T, expect: &Expect) {
    let payload = Payload::new(value);
    serde_json::from_str::<&RawValue>(payload.as_json()).expect("valid JSON");
    expect.assert_eq(payload.as_json());
}

/// A unit struct whose `serialize` has this body.
macro_rules! serialize {
    ($name:ident, |$serializer:ident| $body:expr) => {
        struct $name;

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, $serializer: S) -> Result<S::Ok, S::Error> {
                $body
            }
        }
    };
}

serialize!(Fails, |_serializer| Err(S::Error::custom("no such file")));
serialize!(Panics, |_serializer| panic!("no such index"));

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Newtype(u8);

#[derive(Serialize)]
struct Tuple(u8, &'static str);

#[derive(Serialize)]
struct Fields<'a, T: Serialize> {
    name: &'a str,
    value: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    none: Option<T>,
}

#[derive(Serialize)]
enum Variant {
    Unit,
    Newtype(u8),
    Tuple(u8, u8),
    Struct { a: u8, b: u8 },
    Token(&'static str),
    Secret(u8, u8),
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

macro_rules! as_serde_json {
    ($($value:expr,)*) => {$(
        assert_eq!(Payload::new(&$value).as_json(), serde_json::to_string(&$value).unwrap());
    )*};
}

#[test]
fn text_is_what_serde_json_writes() {
    as_serde_json! {
        (), true, false, 'x', '"', '\u{1f980}', "", "text", String::from("owned"),
        0_u8, u8::MAX, i8::MIN, u16::MAX, i16::MIN, u32::MAX, i32::MIN, u64::MAX, i64::MIN,
        u128::MAX, i128::MIN, usize::MAX, isize::MIN,
        0.0_f64, -0.0_f64, 1.0_f64, 0.1_f64, 1e300_f64, f64::MIN_POSITIVE, f64::MAX, f64::EPSILON,
        0.1_f32, 16777216_f32, f32::MIN, f32::MAX, 1.5e-10_f32,
        f64::NAN, f64::INFINITY, f32::NEG_INFINITY,
        None::<u8>, Some(1), Some(Some("x")), Unit, Newtype(1), Tuple(1, "b"), (1, "b", None::<u8>),
        [1, 2, 3], [0_u8; 0], vec![vec![1], vec![], vec![2, 3]], BTreeSet::from(["b", "a"]),
        Variant::Unit, Variant::Newtype(1), Variant::Tuple(1, 2), Variant::Struct { a: 1, b: 2 },
        Fields { name: "x", value: Some(1.5), none: None },
        Fields { name: "", value: Some(()), none: Some(()) },
        BTreeMap::<&str, u8>::new(), BTreeMap::from([("a", 1), ("b\n", 2)]),
        json!({"a": [1, {"b": null}], "c": "é\u{7f}\u{2028}"}), raw(r#"{ "b" : 1.00,"a":[ ] }"#),
        "Überall gibt es \"Zeichen\", die man\\maskieren muß", "\u{0}\u{8}\u{c}\u{1f}\r\n\t/\u{7f}",
    }
}

#[test]
fn keys_are_what_serde_json_writes() {
    as_serde_json! {
        BTreeMap::from([(1_u64, "a"), (20, "b")]), BTreeMap::from([(-1_i8, "a")]),
        BTreeMap::from([(u128::MAX, "a")]), BTreeMap::from([(true, 1), (false, 2)]),
        BTreeMap::from([('"', 1), ('x', 2)]), BTreeMap::from([(Some("a"), 1)]),
        BTreeMap::from([(String::from("tab\t"), 1)]),
    }
    check(&ByKey(1.5_f32), &expect![[r#"{"1.5":1}"#]]);
    check(&ByKey(Newtype(1)), &expect![[r#"{"1":1}"#]]);
    check(&ByKey(Variant::Unit), &expect![[r#"{"Unit":1}"#]]);
    check(&ByKey(format_args!("{}", 1)), &expect![[r#"{"1":1}"#]]);
}

struct ByKey<K>(K);

impl<K: Serialize> Serialize for ByKey<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(&self.0, 1)])
    }
}

#[test]
fn keys_that_are_no_strings_are_their_own_text() {
    check(&ByKey((1, 2)), &expect![[r#"{"[1,2]":1}"#]]);
    check(&ByKey(None::<u8>), &expect![[r#"{"null":1}"#]]);
    check(&ByKey(f64::NAN), &expect![[r#"{"null":1}"#]]);
    check(&ByKey(["a\n"]), &expect![[r#"{"[\"a\\n\"]":1}"#]]);
    check(
        &ByKey(Variant::Struct { a: 1, b: 2 }),
        &expect![[r#"{"{\"Struct\":{\"a\":1,\"b\":2}}":1}"#]],
    );
    check(&ByKey(raw(r#"{"password":"x"}"#)), &expect![[r#"{"{\"password\":\"***\"}":1}"#]]);
    check(&ByKey(Fails), &expect![[r#"{"{\"$error\":\"no such file\"}":1}"#]]);
}

#[test]
fn bytes_are_an_array() {
    serialize!(Bytes, |serializer| serializer.serialize_bytes(&[0, 127, 255]));
    check(&Bytes, &expect!["[0,127,255]"]);
    check(&ByKey(Bytes), &expect![[r#"{"[0,127,255]":1}"#]]);
}

#[test]
fn exact_numbers_keep_their_digits() {
    serialize!(Number, |serializer| {
        let name = "$serde_json::private::Number";
        let mut number = serializer.serialize_struct(name, 1)?;
        number.serialize_field(name, "1.2300")?;
        number.end()
    });
    check(&[Number], &expect!["[1.2300]"]);
    check(&ByKey(Number), &expect![[r#"{"1.2300":1}"#]]);
}

#[test]
fn serialize_is_told_that_it_is_for_humans() {
    serialize!(Human, |serializer| serializer.is_human_readable().serialize(serializer));
    check(&Human, &expect!["true"]);
}

#[test]
fn secrets_are_masked_at_any_depth() {
    let value = json!([{"user": {"Pass-Word": {"a": 1}, "tokens": 5, "X-Api-Key": "x", "key": 1}}]);
    check(
        &value,
        &expect![[r#"[{"user":{"Pass-Word":"***","X-Api-Key":"***","key":1,"tokens":5}}]"#]],
    );
    check(&ByKey("authorization"), &expect![[r#"{"authorization":"***"}"#]]);
    check(&ByKey(format_args!("{}", "token")), &expect![[r#"{"token":"***"}"#]]);
}

#[test]
fn secret_variants_are_masked() {
    check(&Variant::Token("x"), &expect![[r#"{"Token":"***"}"#]]);
    check(&Variant::Secret(1, 2), &expect![[r#"{"Secret":"***"}"#]]);
}

#[test]
fn secrets_are_not_serialised() {
    #[derive(Serialize)]
    struct Login {
        name: &'static str,
        password: Panics,
    }
    check(&Login { name: "a", password: Panics }, &expect![[r#"{"name":"a","password":"***"}"#]]);
    check(&BTreeMap::from([("secret", Panics)]), &expect![[r#"{"secret":"***"}"#]]);
}

#[test]
fn secrets_in_raw_json_are_masked() {
    let json = r#"{"a":[{"pass\u0077ord" : ["}",{"b":"\""}] , "c":1},"token"], "token": 1.5 }"#;
    check(
        &[raw(json)],
        &expect![[r#"[{"a":[{"pass\u0077ord" : "***" , "c":1},"token"], "token": "***" }]"#]],
    );
    check(&raw(r#"{"token":null}"#), &expect![[r#"{"token":"***"}"#]]);
    check(&raw(r#"{"token":"\\"}"#), &expect![[r#"{"token":"***"}"#]]);
}

const MIB: usize = 1024 * 1024;

#[test]
fn value_of_more_than_one_mebibyte_is_cut() {
    let payload = Payload::new(&"x".repeat(2 * MIB));
    let head = format!(r#"{{"$cut":{{"bytes":2097154,"head":"\"{}"}}}}"#, "x".repeat(1023));
    assert_eq!(payload.as_json(), head);
    assert!(matches!(payload.get::<String>(), Err(PayloadError::Cut)));
}

#[test]
fn value_of_one_mebibyte_is_whole() {
    assert!(Payload::new(&"x".repeat(MIB - 2)).is_whole());
    assert!(!Payload::new(&"x".repeat(MIB - 1)).is_whole());
    assert!(Payload::new(&vec![1; MIB / 2 - 1]).is_whole());
    assert!(Payload::new(&"\n".repeat(MIB / 2 - 1)).is_whole());
    assert!(!Payload::new(&"\n".repeat(MIB / 2)).is_whole());
}

/// The `bytes` and the `head` of a value that is cut.
#[track_caller]
fn cut<T: Serialize + ?Sized>(value: &T) -> (u64, String) {
    let cut = Payload::new(value).to_value()["$cut"].take();
    (cut["bytes"].as_u64().unwrap(), cut["head"].as_str().unwrap().to_owned())
}

#[test]
fn size_of_what_is_cut_is_that_of_all_its_text() {
    let rows: Vec<_> =
        (0..15_000).map(|n| (n, format!("{n:0100}"), BTreeMap::from([(n, ())]))).collect();
    let text = serde_json::to_string(&rows).unwrap();
    assert_eq!(cut(&rows), (text.len() as u64, text[..1024].to_owned()));
}

#[test]
fn head_of_what_is_cut_ends_between_characters() {
    let (bytes, head) = cut(&"é".repeat(MIB));
    assert_eq!((bytes, head.len()), (2 * MIB as u64 + 2, 1023));
    let (bytes, head) = cut(&raw(&format!("{:?}", "é".repeat(MIB))));
    assert_eq!((bytes, head.len()), (2 * MIB as u64 + 2, 1023));
}

#[test]
fn head_of_what_is_cut_is_masked() {
    let json = json!({"password": "x", "rest": "x".repeat(2 * MIB)});
    assert_eq!(cut(&json).1[..22], *r#"{"password":"***","res"#);
    assert_eq!(cut(&raw(&json.to_string())).1[..22], *r#"{"password":"***","res"#);
}

#[test]
fn masked_part_does_not_count() {
    assert!(!Payload::new(&json!({"a": "x".repeat(MIB)})).is_whole());
    check(&json!({"token": "x".repeat(MIB)}), &expect![[r#"{"token":"***"}"#]]);
}

#[test]
fn failed_part_does_not_count() {
    serialize!(LongThenFails, |serializer| {
        let mut seq = serializer.serialize_seq(None)?;
        seq.serialize_element(&"x".repeat(2 * MIB))?;
        seq.serialize_element(&[1, 2])?;
        Err(S::Error::custom("the end"))
    });
    check(&(1, LongThenFails, 2), &expect![[r#"[1,{"$error":"the end"},2]"#]]);
}

#[test]
fn endless_values_end() {
    serialize!(Items, |serializer| serializer.collect_seq(repeat(1)));
    serialize!(Entries, |serializer| serializer.collect_map(repeat(("key", Some("value")))));
    serialize!(Failures, |serializer| serializer.collect_seq(repeat(&Fails)));
    serialize!(Nested, |serializer| serializer.collect_seq(repeat(&[Items])));
    for bytes in [cut(&Items).0, cut(&Entries).0, cut(&Failures).0, cut(&Nested).0] {
        assert!(bytes > MIB as u64);
    }
}

#[test]
fn endless_display_ends() {
    struct Endless;
    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            repeat("again ").try_for_each(|word| f.write_str(word))
        }
    }
    serialize!(Text, |serializer| serializer.collect_str(&Endless));
    serialize!(Message, |_serializer| Err(S::Error::custom(Endless)));
    assert_eq!(cut(&Text).1.len(), 1024);
    assert_eq!(Payload::new(&Message).to_value()["$error"].as_str().unwrap().len(), 1024);
}

#[test]
fn arrays_inside_of_128_others_are_cut() {
    let nested = |levels| (1..levels).fold(json!([]), |inner, _| json!([inner]));
    assert_eq!(Payload::new(&nested(128)).get::<Value>().unwrap(), nested(128));
    let cut =
        (0..128).fold(json!({"$cut": {"bytes": null, "head": "["}}), |inner, _| json!([inner]));
    assert_eq!(Payload::new(&nested(129)), cut);
    assert_eq!(Payload::new(&raw(&nested(129).to_string())), cut);
    assert_eq!(Payload::new(&raw(&("[".repeat(10_000) + &"]".repeat(10_000)))), cut);
}

/// Captures 10,000 levels on a stack of the size that tokio's threads have: recursion without a
/// bound would overflow it. What is left are so many levels, and the mark of one that begins so.
#[track_caller]
fn check_deep<T: Serialize + Send + 'static>(leaf: T, nest: fn(T) -> T, levels: usize, head: &str) {
    let capture = move || {
        let value = (0..10_000).fold(leaf, |inner, _| nest(inner));
        let payload = Payload::new(&value);
        mem::forget(value); // Its drop is not ours, and overflows.
        assert!(!payload.is_whole() && !payload.to_value().is_string());
        payload.to_string()
    };
    let thread = thread::Builder::new().stack_size(2 * MIB).spawn(capture).unwrap();
    let text = thread.join().unwrap();
    let mark = json!({"$cut": {"bytes": null, "head": head}}).to_string();
    let (outside, _) = text.split_once(&mark).unwrap();
    assert_eq!(outside.matches(['[', '{']).count(), levels, "{outside}");
}

#[derive(Serialize)]
enum Deep {
    Leaf,
    Seq(Vec<Deep>),
    Newtype(Box<Deep>),
    Tuple(Box<Deep>, u8),
    Struct { inner: Box<Deep> },
    Map(BTreeMap<u8, Deep>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Untagged {
    Leaf,
    Seq(Vec<Untagged>),
    Map(BTreeMap<u8, Untagged>),
    Tuple(Box<(u8, Untagged)>),
}

#[derive(Serialize)]
struct List {
    next: Option<Box<List>>,
}

#[derive(Serialize)]
struct Wrapped(Option<Box<Wrapped>>);

#[test]
fn deep_values_do_not_overflow_the_stack() {
    check_deep(Untagged::Leaf, |inner| Untagged::Seq(vec![inner]), 128, "[");
    check_deep(Untagged::Leaf, |inner| Untagged::Map([(1, inner)].into()), 128, "{");
    check_deep(Untagged::Leaf, |inner| Untagged::Tuple(Box::new((1, inner))), 128, "[");
    check_deep(Value::Null, |inner| Value::Array(vec![inner]), 128, "[");
    check_deep(List { next: None }, |inner| List { next: Some(Box::new(inner)) }, 128, "{");
    check_deep(Wrapped(None), |inner| Wrapped(Some(Box::new(inner))), 0, "");
}

#[test]
fn deep_variants_do_not_overflow_the_stack() {
    check_deep(Deep::Leaf, |inner| Deep::Seq(vec![inner]), 128, "{");
    check_deep(Deep::Leaf, |inner| Deep::Newtype(Box::new(inner)), 128, "{");
    check_deep(Deep::Leaf, |inner| Deep::Tuple(Box::new(inner), 1), 128, "{");
    check_deep(Deep::Leaf, |inner| Deep::Struct { inner: Box::new(inner) }, 128, "{");
    check_deep(Deep::Leaf, |inner| Deep::Map([(1, inner)].into()), 128, "{");
    check_deep(Deep::Leaf, |inner| Deep::Seq(vec![Deep::Leaf, Deep::Seq(vec![inner])]), 128, "{");
}

#[test]
fn failure_takes_the_place_of_the_value() {
    check(&Fails, &expect![[r#"{"$error":"no such file"}"#]]);
    check(&(1, Fails, 2), &expect![[r#"[1,{"$error":"no such file"},2]"#]]);
    check(
        &Fields { name: "x", value: Some(Fails), none: None },
        &expect![[r#"{"name":"x","value":{"$error":"no such file"}}"#]],
    );
    check(&BTreeMap::from([("a", [Fails])]), &expect![[r#"{"a":[{"$error":"no such file"}]}"#]]);
}

#[test]
fn panic_takes_the_place_of_everything() {
    check(&(1, Panics), &expect![[r#"{"$error":"panicked: no such index"}"#]]);
    serialize!(Formatted, |_serializer| panic!("no index {}", 7));
    check(&[Formatted], &expect![[r#"{"$error":"panicked: no index 7"}"#]]);
}

#[test]
fn panic_without_a_message_does_not_get_out() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    serialize!(Throws, |_serializer| std::panic::panic_any(Bomb));
    check(&Throws, &expect![[r#"{"$error":"panicked"}"#]]);
}

#[test]
fn display_that_fails_is_a_failure() {
    struct Broken;
    impl fmt::Display for Broken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("half")?;
            Err(fmt::Error)
        }
    }
    serialize!(Text, |serializer| serializer.collect_str(&Broken));
    serialize!(Message, |_serializer| Err(S::Error::custom(Broken)));
    check(
        &(Text, Message),
        &expect![[
            r#"[{"$error":"an error occurred when formatting an argument"},{"$error":"half"}]"#
        ]],
    );
}

serialize!(KeyWithoutValue, |serializer| {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_key("a")?;
    map.end()
});
serialize!(TwoKeys, |serializer| {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_key("a")?;
    let _ = map.serialize_key("b");
    map.serialize_value(&1)?;
    map.end()
});
serialize!(ValueFirst, |serializer| {
    let mut map = serializer.serialize_map(None)?;
    let _ = map.serialize_value(&1);
    map.serialize_entry("a", &2)?;
    map.end()
});

#[test]
fn map_is_valid_whatever_is_called() {
    let broken = "`Serialize` does not keep to the protocol of serde";
    assert_eq!(Payload::new(&KeyWithoutValue), json!({"$error": broken}));
    check(&TwoKeys, &expect![[r#"{"a":1}"#]]);
    check(&ValueFirst, &expect![[r#"{"a":2}"#]]);
}

#[test]
fn panic_that_serialize_catches_is_a_failure() {
    thread_local!(static CAUGHT: Cell<bool> = const { Cell::new(false) });
    serialize!(Catches, |serializer| {
        let mut seq = serializer.serialize_seq(None)?;
        let element = std::panic::AssertUnwindSafe(|| seq.serialize_element(&[Panics]));
        CAUGHT.set(std::panic::catch_unwind(element).is_err());
        seq.end()
    });
    check(
        &(1, Catches),
        &expect![[r#"[1,{"$error":"`Serialize` does not keep to the protocol of serde"}]"#]],
    );
    assert!(CAUGHT.get());
}

const RAW_VALUE: &str = "$serde_json::private::RawValue";

serialize!(NoJson, |serializer| {
    let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
    raw.serialize_field(RAW_VALUE, "[1,")?;
    raw.end()
});
serialize!(Twice, |serializer| {
    let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
    raw.serialize_field(RAW_VALUE, "1")?;
    let _ = raw.serialize_field(RAW_VALUE, "2");
    raw.end()
});
serialize!(Structured, |serializer| {
    let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
    raw.serialize_field(RAW_VALUE, &("1", Fails))?;
    raw.end()
});

#[test]
fn raw_json_is_valid_whatever_is_called() {
    check(&NoJson, &expect![[r#"{"$error":"EOF while parsing a value at line 1 column 3"}"#]]);
    check(&Twice, &expect!["1"]);
    check(&Structured, &expect![[r#"["1",{"$error":"no such file"}]"#]]);
}

#[test]
fn capture_inside_of_a_capture_is_its_own() {
    serialize!(Captures, |serializer| {
        let inner = Payload::new(&("inner", 1));
        (inner.as_json(), &inner).serialize(serializer)
    });
    check(&(1, Captures, 2), &expect![[r#"[1,["[\"inner\",1]",["inner",1]],2]"#]]);
}

#[test]
fn value_is_read_back() {
    let payload = Payload::new(&BTreeMap::from([("a", vec![1, 2])]));
    assert_eq!(payload.get::<BTreeMap<String, Vec<u8>>>().unwrap()["a"], [1, 2]);
    assert_eq!(payload.to_value(), json!({"a": [1, 2]}));
    assert!(payload.is_whole() && !payload.is_null());
    assert_eq!(Payload::new(&u128::MAX).get::<u128>().unwrap(), u128::MAX);
}

#[test]
fn what_is_not_whole_is_not_read_back() {
    let message = |value: &dyn Fn() -> Payload| value().get::<Value>().unwrap_err().to_string();
    expect!["the payload is masked"].assert_eq(&message(&|| Payload::new(&json!({"token": 1}))));
    expect!["the payload is cut"].assert_eq(&message(&|| Payload::new(&"x".repeat(MIB))));
    expect!["the value could not be captured"].assert_eq(&message(&|| Payload::new(&Fails)));
}

#[test]
fn wrong_type_is_an_error_with_a_source() {
    let error = Payload::new("text").get::<u8>().unwrap_err();
    expect!["the payload is not of this type"].assert_eq(&error.to_string());
    expect![[r#"invalid type: string "text", expected u8 at line 1 column 6"#]]
        .assert_eq(&error.source().unwrap().to_string());
}

#[test]
fn null_is_the_default() {
    assert!(Payload::default().is_null() && Payload::null().is_whole());
    assert_eq!(Payload::default(), Payload::new(&()));
    assert_eq!(Payload::null().as_json(), "null");
    assert_eq!(Payload::null().get::<Option<u8>>().unwrap(), None);
}

#[test]
fn payloads_compare_with_what_they_hold() {
    let payload = Payload::new("a \"quoted\" text");
    assert!(payload == "a \"quoted\" text" && payload == *"a \"quoted\" text");
    assert!(payload == json!("a \"quoted\" text") && payload == payload.clone());
    assert!(payload != "text" && Payload::new(&1) != "1" && Payload::new(&1) != json!("1"));
    assert!(Payload::new(&json!({"a": 1, "b": 2})) == json!({"b": 2, "a": 1}));
}

#[test]
fn long_and_short_texts_are_shown() {
    let payload = Payload::new(&[1, 2]);
    expect!["[1,2] Payload([1,2])"].assert_eq(&format!("{payload} {payload:?}"));
    let long = format!("{:?}", Payload::new(&"x".repeat(500)));
    assert_eq!(long, format!("Payload(\"{}…)", "x".repeat(199)));
}

#[test]
fn payloads_are_written_as_the_text_that_they_are() {
    let payload = Payload::new(&json!({"a": [1.0, "b"]}));
    assert_eq!(serde_json::to_string(&[&payload]).unwrap(), r#"[{"a":[1.0,"b"]}]"#);
    assert_eq!(serde_json::to_value(&payload).unwrap(), payload.to_value());
    assert_eq!(Payload::new(&payload), payload);
}

#[test]
fn payloads_are_read_as_the_text_that_they_are() {
    let text = r#"{ "b" : 1.00,  "a" : [ ] }"#;
    let payload: Payload = serde_json::from_str(&format!("  {text}\n")).unwrap();
    assert_eq!(payload.as_json(), text);
    assert_eq!(serde_json::from_slice::<Payload>(text.as_bytes()).unwrap(), payload);
    assert_eq!(serde_json::from_reader::<_, Payload>(text.as_bytes()).unwrap(), payload);
    assert_eq!(
        serde_json::from_value::<Payload>(json!({"a": []})).unwrap().as_json(),
        r#"{"a":[]}"#
    );
    assert!(payload.is_whole());
}

#[track_caller]
fn check_read(json: &str, expect: &Expect) {
    let read: Payload = serde_json::from_str(json).unwrap();
    let recaptured = Payload::new(&read).get::<Value>().err().map(|error| error.to_string());
    let error = read.get::<Value>().err().map(|error| error.to_string());
    assert_eq!(error, recaptured);
    expect.assert_eq(&error.unwrap_or("whole".to_owned()));
}

#[test]
fn marks_are_found_again() {
    check_read(r#"{"a":[{"token":"***"}]}"#, &expect!["the payload is masked"]);
    check_read(r#"[{"$cut":{"bytes":5,"head":""}}]"#, &expect!["the payload is cut"]);
    check_read(r#"{ "$cut" : {"head": "", "bytes": 5}}"#, &expect!["the payload is cut"]);
    check_read(r#"{"a": {"$error": "no"}}"#, &expect!["the value could not be captured"]);
}

#[test]
fn what_only_looks_like_marks_is_whole() {
    check_read(r#"{"***":"****"}"#, &expect!["whole"]);
    check_read(r#"["$error","{\"$cut\":{\"bytes\":5}}"]"#, &expect!["whole"]);
    check_read(r#"{"a":1,"$error":"no"}"#, &expect!["whole"]);
    check_read(r#"{"$cut":5}"#, &expect!["whole"]);
}

#[test]
fn deep_text_is_read() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let read = |levels| serde_json::from_str::<Payload>(&nested(levels)).unwrap();
    assert!(read(250).to_value().is_array());
    assert_eq!(read(100_000).to_value(), Value::String(nested(100_000)));
    assert!(matches!(read(100_000).get::<Value>(), Err(PayloadError::Json(_))));
}
