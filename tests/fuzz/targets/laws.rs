//! What holds of every diagnostic.

use voevent_node::base::report::{Diagnostic, RenderStyle, Severity, render};

/// The errors of what was refused, with the warnings until then.
pub(super) fn refused(errors: &[Diagnostic]) {
    assert!(errors.iter().any(|error| error.severity == Severity::Error), "refused without an error");
    all(errors);
}

/// The warnings of what was taken.
pub(super) fn warned(warnings: &[Diagnostic]) {
    assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning), "taken with an error");
    all(warnings);
}

fn all(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let Diagnostic { message, places, help, .. } = diagnostic;
        // What a rule demands is said in the words of its module.
        let ours =
            !help.iter().any(|help| [" demands it", " warns of it"].iter().any(|says| help.contains(says)));
        assert!(!ours || (!message.is_empty() && !message.ends_with('.')), "message: {message:?}");
        assert!(!help.is_empty(), "{message:?} has no help");
        assert!(!places.is_empty() || message.ends_with("are not shown"), "{message:?} has no place");
        for (place, _) in places {
            let (text, span) = (&place.source.text, &place.span);
            assert!(text.get(span.clone()).is_some(), "{message:?} points at {span:?} of {}", text.len());
        }
    }
    let drawn = render(diagnostics, RenderStyle::default());
    let odd = drawn.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    assert!(odd.is_none(), "{odd:?} reaches the terminal: {drawn}");
}

/// Whether a text is one line for a terminal.
pub(super) fn is_line(text: &str) -> bool {
    !text.chars().any(char::is_control)
}
