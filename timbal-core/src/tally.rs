//! `Tally`: makes statistics of calls, one by one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{PathStats, Percentiles, Span, Stats, StatsQuery, StatusCode, Timestamp};

/// Makes [`Stats`] of calls, one by one: stores share it.
#[derive(Debug)]
pub struct Tally<'a> {
    query: &'a StatsQuery,
    groups: BTreeMap<String, BTreeMap<Option<Timestamp>, Group>>,
}

/// The calls of one path in one bucket, while they are counted.
#[derive(Debug, Default)]
pub struct Group {
    unfinished: u64,
    errors: u64,
    elapsed_ns: Vec<u64>,
    busy_ns: Vec<u64>,
    usage: BTreeMap<String, u64>,
    usage_own: BTreeMap<String, u64>,
}

impl<'a> Tally<'a> {
    /// Nothing is counted yet.
    pub fn new(query: &'a StatsQuery) -> Self {
        Self { query, groups: BTreeMap::new() }
    }

    /// Counts this span, if it is asked for.
    pub fn add(&mut self, span: &Span) {
        if self.query.matches(&span.path, span.t0) {
            let group = self.group(&span.path, span.t0);
            if group.ended(span.status.code, span.elapsed_ns, span.busy_ns) {
                group.used(&span.usage, &span.usage_own);
            }
        }
    }

    /// Where calls of this path are counted that started then.
    pub fn group(&mut self, path: &str, t0: Timestamp) -> &mut Group {
        let bucket = self.query.bucket_of(t0);
        if !self.groups.contains_key(path) {
            self.groups.insert(path.to_owned(), BTreeMap::new());
        }
        let buckets = self.groups.get_mut(path).expect("it was put there if it was missing");
        buckets.entry(bucket).or_default()
    }

    /// What was counted.
    pub fn into_stats(self) -> Stats {
        let paths = self.groups.into_iter().flat_map(|(path, buckets)| {
            buckets.into_iter().map(move |(bucket, group)| group.into_stats(path.clone(), bucket))
        });
        Stats { paths: paths.collect() }
    }
}

impl Group {
    /// Counts a call with this status; `false` if it has not ended.
    pub fn ended(&mut self, status: StatusCode, elapsed_ns: u64, busy_ns: u64) -> bool {
        if matches!(status, StatusCode::Running | StatusCode::Interrupted) {
            self.unfinished += 1;
            return false;
        }
        self.errors += u64::from(matches!(status, StatusCode::Error | StatusCode::Timeout));
        self.elapsed_ns.push(elapsed_ns);
        self.busy_ns.push(busy_ns);
        true
    }

    /// Adds what it used, with and without the calls below it.
    pub fn used(&mut self, usage: &BTreeMap<String, u64>, usage_own: &BTreeMap<String, u64>) {
        add(&mut self.usage, usage);
        add(&mut self.usage_own, usage_own);
    }

    /// The same, as JSON objects of numbers, which are not read into maps: it is most of the work.
    ///
    /// # Errors
    ///
    /// If one of them is something else.
    pub fn used_json(&mut self, usage: &str, usage_own: &str) -> Result<(), serde_json::Error> {
        add_json(&mut self.usage, usage)?;
        add_json(&mut self.usage_own, usage_own)
    }

    fn into_stats(self, path: String, bucket: Option<Timestamp>) -> PathStats {
        PathStats {
            path,
            bucket,
            count: self.elapsed_ns.len() as u64,
            unfinished: self.unfinished,
            errors: self.errors,
            elapsed: Percentiles::of(self.elapsed_ns),
            busy: Percentiles::of(self.busy_ns),
            usage: self.usage,
            usage_own: self.usage_own,
        }
    }
}

fn add(sums: &mut BTreeMap<String, u64>, amounts: &BTreeMap<String, u64>) {
    amounts.iter().for_each(|(key, amount)| add_one(sums, key, *amount));
}

fn add_one(sums: &mut BTreeMap<String, u64>, key: &str, amount: u64) {
    match sums.get_mut(key) {
        Some(sum) => *sum = sum.saturating_add(amount),
        None => drop(sums.insert(key.to_owned(), amount)),
    }
}

fn add_json(sums: &mut BTreeMap<String, u64>, amounts: &str) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(amounts);
    json.deserialize_map(Amounts(sums))?;
    json.end()
}

/// Adds the amounts of an object to sums.
struct Amounts<'a>(&'a mut BTreeMap<String, u64>);

impl<'de> Visitor<'de> for Amounts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of numbers")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut amounts: A) -> Result<(), A::Error> {
        while let Some((Key(key), amount)) = amounts.next_entry()? {
            add_one(self.0, &key, amount);
        }
        Ok(())
    }
}

/// A key, borrowed where nothing in it is escaped.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
