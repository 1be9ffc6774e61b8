//! Imports between files: each name, followed to the file that defines it.

use super::modules::{Module, Modules};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that names what another file defines.
pub(super) struct Import {
    pub(super) from: PathBuf,
    pub(super) to: PathBuf,
    /// The first line that names it.
    pub(super) line: usize,
    /// The name in the other file.
    pub(super) name: String,
}

/// Returns the imports of all modules, one for each name and pair of files.
pub(super) fn imports(modules: &Modules) -> Vec<Import> {
    let mut found: BTreeMap<_, usize> = BTreeMap::new();
    for (id, module) in modules.0.iter().enumerate() {
        let mut add = |line, targets: Vec<Target>| {
            for target in targets {
                let Target::Item(definer, name) = target else {
                    continue;
                };
                let to = modules.0[definer].file.as_path();
                if to != module.file {
                    let first = found
                        .entry((module.file.as_path(), to, name))
                        .or_insert(line);
                    *first = line.min(*first);
                }
            }
        };
        for import in module.uses.iter().filter(|import| !import.is_re_export) {
            let mut targets = modules.resolve(id, &import.path, 0);
            if import.name.is_none() {
                targets = targets
                    .into_iter()
                    .flat_map(|target| modules.expand(target))
                    .collect();
            }
            // A module that is imported as a whole counts by the paths that begin with its name.
            add(import.line, targets);
        }
        for mention in &module.mentions {
            // A single name is local, or one of the imports above, or a re-export that the module itself uses.
            if mention.path.len() > 1 || re_exports(module, &mention.path[0]) {
                add(mention.line, modules.resolve(id, &mention.path, 0));
            }
        }
    }
    found
        .into_iter()
        .map(|((from, to, name), line)| Import {
            from: Path::to_owned(from),
            to: Path::to_owned(to),
            line,
            name,
        })
        .collect()
}

fn re_exports(module: &Module, name: &str) -> bool {
    module
        .uses
        .iter()
        .any(|import| import.is_re_export && import.name.as_deref() == Some(name))
}

/// The end of a path.
#[derive(Clone)]
enum Target {
    Module(usize),
    /// Something that this module defines under this name.
    Item(usize, String),
}

/// Ends re-exports that lead to each other.
const MAX_STEPS: usize = 16;

impl Modules {
    /// Returns what `path` in module `from` leads to: nothing, if it leads out of the crate.
    fn resolve(&self, from: usize, path: &[String], steps: usize) -> Vec<Target> {
        let Some((first, rest)) = path.split_first() else {
            return vec![Target::Module(from)];
        };
        match first.as_str() {
            "crate" => self.look_up(0, rest, steps),
            "self" => self.resolve(from, rest, steps + 1),
            "super" => match self.0[from].parent {
                Some(parent) => self.resolve(parent, rest, steps + 1),
                None => vec![],
            },
            _ => self.look_up(from, path, steps),
        }
    }

    /// Returns what `path` leads to, as seen from within module `id`.
    fn look_up(&self, id: usize, path: &[String], steps: usize) -> Vec<Target> {
        let module = &self.0[id];
        let Some((first, rest)) = path.split_first() else {
            return vec![Target::Module(id)];
        };
        if steps > MAX_STEPS {
            return vec![];
        }
        let mut targets = Vec::new();
        if let Some(child) = module.children.get(first) {
            targets.extend(self.look_up(*child, rest, steps + 1));
        }
        // What follows an item's name is one of its variants or functions.
        if module.items.contains(first) && (rest.is_empty() || targets.is_empty()) {
            targets.push(Target::Item(id, first.clone()));
        }
        let follow = |import: &[String], rest: &[String]| {
            self.resolve(id, &[import, rest].concat(), steps + 1)
        };
        if targets.is_empty() {
            let named = module
                .uses
                .iter()
                .filter(|import| import.name.as_ref() == Some(first));
            targets.extend(named.flat_map(|import| follow(&import.path, rest)));
        }
        if targets.is_empty() {
            let globs = module.uses.iter().filter(|import| import.name.is_none());
            for target in globs.flat_map(|import| follow(&import.path, &[])) {
                match target {
                    Target::Module(glob) if glob != id => {
                        targets.extend(self.look_up(glob, path, steps + 1));
                    }
                    _ => {}
                }
            }
        }
        targets
    }

    /// Returns what a glob import of `target` brings in.
    fn expand(&self, target: Target) -> Vec<Target> {
        let Target::Module(id) = target else {
            return vec![target];
        };
        let module = &self.0[id];
        let own = module
            .items
            .iter()
            .map(|name| Target::Item(id, name.clone()));
        let re_exports = module.uses.iter().filter(|import| import.is_re_export);
        own.chain(re_exports.flat_map(|import| self.resolve(id, &import.path, 0)))
            .collect()
    }
}
