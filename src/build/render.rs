//! Templates become text with holes, each piece with its place in the template.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{Environment, OutputSpanKind};

use crate::base::name::InstanceName;
use crate::base::report::{Diagnostic, Place, Source};
use crate::base::value::Value;

use super::artifact::{Grammar, RenderedPiece, RenderedWhat, Text};
use super::config::artifact::Body;
use super::expression::{compiled, named, to_jinja, words};
use super::holes::{LEDGER, Ledger, part_size, templates};
use super::instance::{self, Instance};
use super::operators::Checked;
use super::options::evaluate::Site;
use super::options::{Settings, insert};
use super::scan::Stand;
use super::templates::{Templates, included, name_of};
use super::world::{Leaf, World};

/// The longest text of a file, its holes not counted.
const MAX_TEXT: usize = 16 << 20;

/// The most memory that the texts of a host may take together.
const MAX_TEXTS: usize = 256 << 20;

/// Renders the texts of artifacts.
pub struct Renderer<'a> {
    files: &'a Templates,
    env: Environment<'static>,
    /// The templates as they are compiled.
    codes: BTreeMap<&'a str, Checked>,
    /// What the templates of each module see, but for `each`.
    contexts: BTreeMap<&'a InstanceName, BTreeMap<String, minijinja::Value>>,
}

impl<'a> Renderer<'a> {
    /// A renderer of these templates.
    ///
    /// # Errors
    /// Where minijinja takes one for none.
    pub fn new(world: &'a World, settings: &Settings, files: &'a Templates) -> Result<Self, Diagnostic> {
        let mut env = templates();
        env.set_path_join_callback(|name, parent| {
            let module = parent.split_once('/').map_or(parent, |(module, _)| module);
            Cow::Owned(included(module, name))
        });
        let mut codes = BTreeMap::new();
        for (name, source) in &files.texts {
            let code = compiled(&source.text, Stand::File(source), false)?;
            env.add_template_owned(name.clone(), code.text.clone())
                .map_err(|error| fault(&error, (files, &codes), source))?;
            codes.insert(name.as_str(), code);
        }
        let contexts = world.modules.values().map(|module| (&module.name, context(world, settings, module)));
        Ok(Self { files, env, codes, contexts: contexts.collect() })
    }

    /// The text of an artifact; `None` where its file could not be read.
    ///
    /// # Errors
    /// Where its template cannot be rendered.
    pub fn text(&self, body: &Body, site: Site<'_>) -> Result<Option<Text>, Diagnostic> {
        let name = name_of(&site.module.file.name, &body.file.value);
        let Some(grammar) = body.grammar else {
            return Ok(self.files.bytes.get(&name).cloned().map(Text::Source));
        };
        match self.files.texts.get(&name) {
            Some(source) => self.template((&name, source), grammar, site).map(Some),
            None => Ok(None),
        }
    }

    fn template(
        &self,
        (name, source): (&str, &Arc<Source>),
        grammar: Grammar,
        site: Site<'_>,
    ) -> Result<Text, Diagnostic> {
        let ledger = Arc::new(Ledger::new(site.module));
        let mut context = self.contexts.get(&site.module.name).cloned().unwrap_or_default();
        if let Some(each) = site.each {
            let value = each.value.as_ref().unwrap_or(&Value::None);
            let pair = [("key", to_jinja(&each.key)), ("value", to_jinja(value))];
            context.insert("each".to_owned(), minijinja::Value::from_pairs(pair));
        }
        context.insert(LEDGER.to_owned(), minijinja::Value::from_dyn_object(Arc::clone(&ledger)));
        let rendered = self.env.get_template(name).and_then(|template| template.render_with_spans(context));
        let (text, spans) = rendered.map_err(|error| fault(&error, (self.files, &self.codes), source))?;
        if text.len() > MAX_TEXT {
            let place = Place { source: Arc::clone(source), span: 0..0 };
            return Err(Diagnostic::error("the rendered text is too long")
                .at(place, "")
                .help("16 MiB are the most"));
        }
        let mut pieces = Vec::with_capacity(spans.len());
        for span in spans {
            let source = self.files.texts.get(span.name()).unwrap_or(source);
            let range = span.source_range();
            let range = self.codes.get(span.name()).map_or(range.clone(), |code| code.written(range));
            let place = Place { source: Arc::clone(source), span: range };
            let text = &text[span.output_range()];
            let what = match (span.kind(), ledger.hole(text)) {
                (OutputSpanKind::Expression, Some(what)) => what,
                (OutputSpanKind::Raw, _) => RenderedWhat::Text(text.to_owned()),
                _ => {
                    let error = Diagnostic::error("this expression left no hole").at(place, "");
                    return Err(error.help("write one value"));
                }
            };
            pieces.push(RenderedPiece { place, what });
        }
        if pieces.is_empty() {
            // What is wrong with a file that has nothing in it has a place too.
            let place = Place { source: Arc::clone(source), span: 0..0 };
            pieces.push(RenderedPiece { place, what: RenderedWhat::Text(String::new()) });
        }
        Ok(Text::Template { grammar, pieces })
    }
}

/// What is said where the texts of a host take this much memory, if that is more than they may together.
#[must_use]
pub fn too_much(taken: usize, place: &Place) -> Option<Diagnostic> {
    let error = || Diagnostic::error("the texts of the host take more than 256 MiB together");
    let help = "go through fewer entries, or write less";
    (taken > MAX_TEXTS).then(|| error().at(place.clone(), "").help(help))
}

/// About how many bytes of memory a text takes.
#[must_use]
pub fn memory(text: &Text) -> usize {
    match text {
        Text::Source(bytes) => bytes.len(),
        Text::Template { pieces, .. } => {
            pieces.iter().map(|piece| size_of_val(piece) + inner_size(&piece.what)).sum()
        }
    }
}

fn inner_size(what: &RenderedWhat) -> usize {
    match what {
        RenderedWhat::Text(text) | RenderedWhat::Safe(text) => text.len(),
        RenderedWhat::Hole(parts) => parts.iter().map(part_size).sum(),
    }
}

/// What the templates of a module see: its own settings, those of the modules that it names, and the host's.
fn context(world: &World, settings: &Settings, own: &Instance) -> BTreeMap<String, minijinja::Value> {
    let mut context = BTreeMap::new();
    for (name, meant) in &own.names {
        let mut values = BTreeMap::from([("on".to_owned(), Value::Bool(world.modules.contains_key(meant)))]);
        let first = Leaf { module: meant.clone(), path: Vec::new() };
        for (leaf, setting) in settings.values.range(first..).take_while(|(leaf, _)| leaf.module == *meant) {
            insert(&mut values, &leaf.path, setting.value.clone());
        }
        context.insert(name.as_str().to_owned(), to_jinja(&Value::Map(values)));
    }
    let host = super::config::host::HOST_TEXTS.into_iter().chain(["name"]);
    let host = host.map(|name| (name, to_jinja(&world.host.text(name))));
    context.insert("host".to_owned(), minijinja::Value::from_pairs(host));
    let fields = instance::FIELDS.map(|name| (name, to_jinja(&own.field(name))));
    context.insert("instance".to_owned(), minijinja::Value::from_pairs(fields));
    context
}

/// An error of minijinja, at the innermost place that it names.
fn fault(
    error: &minijinja::Error,
    (files, codes): (&Templates, &BTreeMap<&str, Checked>),
    source: &Arc<Source>,
) -> Diagnostic {
    let mut inner = error;
    while let Some(next) =
        std::error::Error::source(inner).and_then(|next| next.downcast_ref::<minijinja::Error>())
    {
        inner = next;
    }
    let source = inner.name().and_then(|name| files.texts.get(name)).unwrap_or(source);
    let span = named(inner, usize::MAX).unwrap_or(0..0);
    let span = inner.name().and_then(|name| codes.get(name)).map_or(span.clone(), |code| code.written(span));
    let span = Some(span).filter(|range| range.end <= source.text.len()).unwrap_or(0..0);
    let (message, help) = words(inner);
    Diagnostic::error(message).at(Place { source: Arc::clone(source), span }, "").help(help)
}
