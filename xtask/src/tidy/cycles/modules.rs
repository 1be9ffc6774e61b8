//! The modules of a crate: what each defines, imports and names.

use anyhow::Context;
use proc_macro2::{TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Meta, Token, UseTree, Visibility};

/// The modules of one target; the first is its root.
pub(super) struct Modules(pub(super) Vec<Module>);

#[derive(Default)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) parent: Option<usize>,
    pub(super) children: BTreeMap<String, usize>,
    /// The names of what the module itself defines.
    pub(super) items: BTreeSet<String>,
    pub(super) uses: Vec<Use>,
    /// The paths in signatures, bodies and macros.
    pub(super) mentions: Vec<Mention>,
}

/// One name of a `use` declaration.
pub(super) struct Use {
    pub(super) path: Vec<String>,
    /// `None` for a glob.
    pub(super) name: Option<String>,
    pub(super) is_re_export: bool,
    pub(super) line: usize,
}

pub(super) struct Mention {
    pub(super) path: Vec<String>,
    pub(super) line: usize,
}

/// Returns the text of a file, or `None` if there is no such file.
type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<String>;

impl Modules {
    /// Reads the target whose root module is the file `root`.
    ///
    /// # Errors
    ///
    /// If a file is missing or is not Rust.
    pub(super) fn read(root: &Path, read_file: ReadFile<'_>) -> anyhow::Result<Self> {
        let mut modules = Self(Vec::new());
        let folder = root.parent().unwrap_or(root);
        modules.read_file(root, folder, None, read_file)?;
        Ok(modules)
    }

    /// Reads the module in `file`, whose children lie in `folder`.
    fn read_file(
        &mut self,
        file: &Path,
        folder: &Path,
        parent: Option<usize>,
        read_file: ReadFile<'_>,
    ) -> anyhow::Result<usize> {
        let text = read_file(file).with_context(|| format!("cannot read {}", file.display()))?;
        let syntax =
            syn::parse_file(&text).with_context(|| format!("{} is not Rust", file.display()))?;
        self.read_items(&syntax.items, file, folder, parent, read_file)
    }

    fn read_items(
        &mut self,
        items: &[Item],
        file: &Path,
        folder: &Path,
        parent: Option<usize>,
        read_file: ReadFile<'_>,
    ) -> anyhow::Result<usize> {
        let id = self.0.len();
        self.0.push(Module {
            file: file.to_owned(),
            parent,
            ..Module::default()
        });
        for item in items.iter().filter(|item| !is_for_tests(attributes(item))) {
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                let child = match &module.content {
                    Some((_, items)) => {
                        self.read_items(items, file, &folder.join(&name), Some(id), read_file)?
                    }
                    None => {
                        let (file, folder) = locate(module, file, folder, read_file);
                        self.read_file(&file, &folder, Some(id), read_file)?
                    }
                };
                self.0[id].children.insert(name, child);
                continue;
            }
            self.0[id].items.extend(name_of(item));
            self.0[id].visit_item(item);
        }
        Ok(id)
    }
}

/// Returns the file of a module that stands in a file of its own, and the folder of that module's children.
fn locate(
    module: &ItemMod,
    declared_in: &Path,
    folder: &Path,
    read_file: ReadFile<'_>,
) -> (PathBuf, PathBuf) {
    let name = module.ident.to_string();
    if let Some(path) = path_attribute(&module.attrs) {
        let file = declared_in.parent().unwrap_or(declared_in).join(path);
        let folder = file.parent().unwrap_or(&file).to_owned();
        return (file, folder);
    }
    let children = folder.join(&name);
    let own = folder.join(format!("{name}.rs"));
    let file = match read_file(&own) {
        Some(_) => own,
        None => children.join("mod.rs"),
    };
    (file, children)
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else {
            return None;
        };
        let syn::Expr::Lit(literal) = &meta.value else {
            return None;
        };
        match &literal.lit {
            syn::Lit::Str(path) if meta.path.is_ident("path") => Some(path.value()),
            _ => None,
        }
    })
}

fn name_of(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::TraitAlias(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// Returns `true` if a `cfg` leaves the item out wherever `test` is off.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .filter_map(|attribute| attribute.parse_args::<Meta>().ok())
        .any(|predicate| without_tests(&predicate) == Some(false))
}

/// Evaluates a `cfg` predicate with `test` off; `None` where it depends on something else.
fn without_tests(predicate: &Meta) -> Option<bool> {
    let Meta::List(list) = predicate else {
        return predicate.path().is_ident("test").then_some(false);
    };
    let parts = list
        .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .ok()?;
    let mut parts = parts.iter().map(without_tests);
    if list.path.is_ident("not") {
        return parts.next()?.map(|value| !value);
    }
    // `all` is decided by one that is off, `any` by one that is on.
    let decisive = list.path.is_ident("any");
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(decisive)) {
        return Some(decisive);
    }
    parts.iter().all(Option::is_some).then_some(!decisive)
}

/// Collects imports and paths.
impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs[..],
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_re_export = !matches!(item.vis, Visibility::Inherited);
        self.add_use(&item.tree, &mut Vec::new(), is_re_export);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.mentions.push(Mention {
            path: path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect(),
            line: path.span().start().line,
        });
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.visit_path(&item.path);
        self.add_tokens(item.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

impl Module {
    fn add_use(&mut self, tree: &UseTree, prefix: &mut Vec<String>, is_re_export: bool) {
        let (segment, name) = match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_use(&path.tree, prefix, is_re_export);
                prefix.pop();
                return;
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(tree, prefix, is_re_export);
                }
                return;
            }
            UseTree::Name(name) => (Some(&name.ident), Some(&name.ident)),
            UseTree::Rename(rename) => (Some(&rename.ident), Some(&rename.rename)),
            UseTree::Glob(_) => (None, None),
        };
        let mut path = prefix.clone();
        // `use wire::{self}` imports the module `wire`.
        path.extend(
            segment
                .filter(|ident| *ident != "self")
                .map(ToString::to_string),
        );
        let name = name.map(|ident| match ident.to_string() {
            name if name == "self" => path.last().cloned().unwrap_or_default(),
            name => name,
        });
        self.uses.push(Use {
            path,
            name,
            is_re_export,
            line: tree.span().start().line,
        });
    }

    /// Adds the paths of more than one segment among `tokens`, which need not be an expression.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons < 2 {
                        self.finish_path(&mut path, line);
                        line = ident.span().start().line;
                    }
                    colons = 0;
                    path.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.finish_path(&mut path, line);
                    self.add_tokens(group.stream());
                    colons = 0;
                }
                _ => {
                    self.finish_path(&mut path, line);
                    colons = 0;
                }
            }
        }
        self.finish_path(&mut path, line);
    }

    fn finish_path(&mut self, path: &mut Vec<String>, line: usize) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.mentions.push(Mention { path, line });
        }
    }
}
