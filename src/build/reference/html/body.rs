//! A page of Markdown as HTML, with the marks that the one page needs: ids of headings, links within, names of columns.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::build::reference::page::Page;

/// A page as HTML.
#[derive(Debug)]
pub(super) struct Body {
    /// Its elements.
    pub(super) html: String,
    /// Its headings, each with its id.
    pub(super) headings: Vec<(String, String)>,
    /// The rows of its tables that can be linked to: first cell, second cell, id.
    pub(super) rows: Vec<[String; 3]>,
}

/// The id of a page: `page-tutorial`, `module-comet`.
pub(super) fn page_id(path: &str) -> String {
    let stem = path.strip_suffix(".md").unwrap_or(path);
    stem.strip_prefix("modules/").map_or_else(|| format!("page-{stem}"), |module| format!("module-{module}"))
}

/// Text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

impl Body {
    /// The page as HTML.
    pub(super) fn of(page: &Page) -> Self {
        let mut walk = Walk {
            page,
            headings: Vec::new(),
            rows: Vec::new(),
            columns: Vec::new(),
            column: 0,
            in_head: false,
        };
        let events: Vec<Event<'_>> = Parser::new_ext(&page.text, Options::ENABLE_TABLES).collect();
        let mut out = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            walk.event(event, &events[index + 1..], &mut out);
        }
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, out.into_iter());
        Self { html, headings: walk.headings, rows: walk.rows }
    }
}

struct Walk<'a> {
    page: &'a Page,
    headings: Vec<(String, String)>,
    rows: Vec<[String; 3]>,
    /// The heads of the columns of the table around, and the column that is next.
    columns: Vec<String>,
    column: usize,
    in_head: bool,
}

impl Walk<'_> {
    fn event<'e>(&mut self, event: &Event<'e>, rest: &[Event<'e>], out: &mut Vec<Event<'e>>) {
        let html = |text: String| Event::Html(CowStr::from(text));
        match event {
            // Pages have no HTML but anchors; what else looks like it is shown as it is written.
            Event::Html(text) | Event::InlineHtml(text) => {
                if is_anchor(text) {
                    out.push(Event::InlineHtml(text.clone()));
                } else if !text.starts_with("<!-- ") {
                    out.push(Event::Text(text.clone()));
                }
            }
            Event::Start(Tag::Heading { level, .. }) => {
                let title = text_until_end(rest, |end| matches!(end, TagEnd::Heading(_)));
                let id = if self.headings.is_empty() {
                    format!("{}-top", page_id(&self.page.path))
                } else {
                    format!("{}-{}", page_id(&self.page.path), slug(&title))
                };
                out.push(html(format!("<{level} id=\"{id}\">")));
                self.headings.push((title, id));
            }
            Event::End(TagEnd::Heading(level)) => out.push(html(format!("</{level}>\n"))),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let dest_url = CowStr::from(self.link(dest_url));
                let (link_type, title, id) = (*link_type, title.clone(), id.clone());
                out.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            other => match self.table(other, rest) {
                Some(text) => out.push(html(text)),
                None => out.push(other.clone()),
            },
        }
    }

    /// What a table is written with; nothing where this is no part of one.
    fn table(&mut self, event: &Event<'_>, rest: &[Event<'_>]) -> Option<String> {
        Some(match event {
            Event::Start(Tag::Table(_)) => {
                self.columns.clear();
                "<div class=\"table\"><table>\n".to_owned()
            }
            Event::End(TagEnd::Table) => "</tbody></table></div>\n".to_owned(),
            Event::Start(Tag::TableHead) => {
                self.in_head = true;
                "<thead><tr>".to_owned()
            }
            Event::End(TagEnd::TableHead) => {
                self.in_head = false;
                "</tr></thead>\n<tbody>\n".to_owned()
            }
            Event::Start(Tag::TableRow) => {
                self.column = 0;
                self.rows.extend(linked(rest));
                "<tr>".to_owned()
            }
            Event::End(TagEnd::TableRow) => "</tr>\n".to_owned(),
            Event::Start(Tag::TableCell) if self.in_head => {
                self.columns.push(text_until_end(rest, |end| matches!(end, TagEnd::TableCell)));
                "<th>".to_owned()
            }
            Event::Start(Tag::TableCell) => {
                let head = self.columns.get(self.column).map_or("", String::as_str);
                self.column += 1;
                format!("<td data-label=\"{}\">", escape(head))
            }
            Event::End(TagEnd::TableCell) => if self.in_head { "</th>" } else { "</td>" }.to_owned(),
            _ => return None,
        })
    }

    /// A link to another page, within the one.
    fn link(&self, to: &str) -> String {
        if to.contains("://") || to.starts_with('#') {
            return to.to_owned();
        }
        let (file, fragment) =
            to.split_once('#').map_or((to, None), |(file, fragment)| (file, Some(fragment)));
        if let Some(fragment) = fragment {
            return format!("#{fragment}");
        }
        let inside = self.page.path.starts_with("modules/");
        let path = match file.strip_prefix("../") {
            Some(above) => above.to_owned(),
            None if inside => format!("modules/{file}"),
            None => file.to_owned(),
        };
        format!("#{}", page_id(&path))
    }
}

/// Whether HTML is `<a id="…"></a>`, or one half of it, with a plain id.
fn is_anchor(html: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let start = |html: &str| {
        html.strip_prefix("<a id=\"")
            .and_then(|rest| rest.strip_suffix("\">"))
            .is_some_and(|id| id.chars().all(plain))
    };
    html == "</a>" || start(html)
}

/// A row that can be linked to, from its first event on.
fn linked(events: &[Event<'_>]) -> Option<[String; 3]> {
    let Some(Event::InlineHtml(html)) = events.get(1) else { return None };
    let id = html.strip_prefix("<a id=\"")?.strip_suffix("\">")?.to_owned();
    let is_end = |end: &TagEnd| matches!(end, TagEnd::TableCell);
    let second = events.iter().position(|event| matches!(event, Event::End(end) if is_end(end)))?;
    Some([text_until_end(events, is_end), text_until_end(events.get(second + 1..)?, is_end), id])
}

fn text_until_end(events: &[Event<'_>], is_end: fn(&TagEnd) -> bool) -> String {
    let inside = events.iter().take_while(|event| !matches!(event, Event::End(end) if is_end(end)));
    let parts = inside.filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    parts.collect()
}

fn slug(title: &str) -> String {
    let words = title.to_lowercase();
    let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
