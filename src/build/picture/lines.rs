//! Long texts on several lines.

pub(super) use textwrap::core::display_width as columns;

/// A text in lines of at most `most` columns, broken behind a blank, else behind a mark, where there is one. All of its
/// characters are there.
pub(super) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    // Behind the last blank and the last mark.
    let (mut blank, mut mark) = (0, 0);
    for c in text.chars() {
        if columns(&line) + columns(c.encode_utf8(&mut [0; 4])) > most && !line.is_empty() {
            let far = |end: &usize| end * 3 > line.len();
            let end = [blank, mark].into_iter().find(far).unwrap_or(line.len());
            let rest = line.split_off(end);
            lines.push(std::mem::replace(&mut line, rest));
            (blank, mark) = (0, 0);
        }
        line.push(c);
        match c {
            ' ' => blank = line.len(),
            '/' | '-' | '_' | '.' | ',' | ':' | '@' => mark = line.len(),
            _ => {}
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_where_words_end() {
        for (text, lines) in [
            ("", vec![""]),
            ("short", vec!["short"]),
            ("The Comet VOEvent broker", vec!["The Comet ", "VOEvent ", "broker"]),
            ("/home/voeventserve/db", vec!["/home/", "voeventserv", "e/db"]),
            ("with a==1.0.22", vec!["with ", "a==1.0.22"]),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", vec!["aaaaaaaaaaa", "aaaaaaaaaaa", "aa"]),
            ("x-aaaaaaaaaaaaaaa", vec!["x-aaaaaaaaa", "aaaaaa"]),
            ("天文台天文台", vec!["天文台天文", "台"]),
        ] {
            assert_eq!(wrapped(text, 11), lines, "{text}");
        }
    }
}
