//! `Words`: the ids of what is said often.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Params, Transaction};
use timbal_core::{Definition, Process, Span};

/// The ids of paths, definitions and processes that stand in the file, as far as they are known.
#[derive(Default)]
pub(crate) struct Words {
    paths: HashMap<(String, String), i64>,
    definitions: HashMap<Definition, i64>,
    processes: HashMap<Process, i64>,
    /// The file's version at which they were right: others may have removed some since.
    version: i64,
}

/// Names may be made at run time: more of them are not remembered.
const MAX_KNOWN: usize = 10_000;

impl Words {
    /// Forgets all if another connection has changed the file, or there is too much of it.
    pub(crate) fn refresh(&mut self, moment: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut version = moment.prepare_cached("PRAGMA data_version")?;
        let version = version.query_one([], |row| row.get(0))?;
        if version != self.version || self.paths.len() > MAX_KNOWN {
            *self = Self { version, ..Self::default() };
        }
        Ok(())
    }

    pub(crate) fn path(&mut self, moment: &Transaction<'_>, span: &Span) -> rusqlite::Result<i64> {
        let key = (span.path.clone(), span.definition.name.clone().into_owned());
        if let Some(id) = self.paths.get(&key) {
            return Ok(*id);
        }
        let id = find_or_add(
            moment,
            "SELECT id FROM paths WHERE path = ?1 AND name = ?2",
            "INSERT INTO paths (path, name) VALUES (?1, ?2)",
            (&key.0, &key.1),
        )?;
        self.paths.insert(key, id);
        Ok(id)
    }

    /// The id of a definition without its name, which the path has.
    pub(crate) fn definition(
        &mut self,
        moment: &Transaction<'_>,
        definition: &Definition,
    ) -> rusqlite::Result<i64> {
        let mut key = definition.clone();
        key.name = "".into();
        if let Some(id) = self.definitions.get(&key) {
            return Ok(*id);
        }
        let id = find_or_add(
            moment,
            "SELECT id FROM definitions WHERE module_path = ?1 AND file = ?2 AND line = ?3
                AND column = ?4 AND crate_version IS ?5",
            "INSERT INTO definitions (module_path, file, line, column, crate_version)
                VALUES (?1, ?2, ?3, ?4, ?5)",
            (&*key.module_path, &*key.file, key.line, key.column, key.crate_version.as_deref()),
        )?;
        self.definitions.insert(key, id);
        Ok(id)
    }

    pub(crate) fn process(
        &mut self,
        moment: &Transaction<'_>,
        process: &Process,
    ) -> rusqlite::Result<i64> {
        if let Some(id) = self.processes.get(process) {
            return Ok(*id);
        }
        let since = process.since.as_nanos() as i64;
        let id = find_or_add(
            moment,
            "SELECT id FROM processes WHERE program = ?1 AND pid = ?2 AND since = ?3",
            "INSERT INTO processes (program, pid, since) VALUES (?1, ?2, ?3)",
            (&process.program, process.pid, since),
        )?;
        self.processes.insert(process.clone(), id);
        Ok(id)
    }
}

fn find_or_add(
    moment: &Transaction<'_>,
    find: &str,
    add: &str,
    values: impl Params + Copy,
) -> rusqlite::Result<i64> {
    let found = moment.prepare_cached(find)?.query_one(values, |row| row.get(0)).optional()?;
    match found {
        Some(id) => Ok(id),
        None => moment.prepare_cached(add)?.insert(values),
    }
}
