//! Files that instruct an agent, told by their names.

/// Names of files that instruct an agent wherever they are.
const NAMES: [&str; 3] = ["CLAUDE.md", "AGENTS.md", "scheduled-tasks.md"];
/// Everything below a folder of this name does.
const DIRECTORY: &str = ".claude";

/// Whether a file at this path, relative to the designated folder, instructs an agent. Letter case does not matter, as it does not to
/// most of the machines that the files are copied to.
pub fn is_instruction(path: &str) -> bool {
    let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) || is_within(above)
}

/// Whether files in a folder at this path instruct an agent whatever their names.
pub fn is_within(path: &str) -> bool {
    path.split('/')
        .any(|component| component.eq_ignore_ascii_case(DIRECTORY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_name_and_folder() {
        for path in [
            "CLAUDE.md",
            "a/b/CLAUDE.md",
            "claude.MD",
            "x/AGENTS.md",
            "scheduled-tasks.md",
            ".claude/settings.json",
            "a/.claude/skills/x/SKILL.md",
            "a/.Claude/commands/y",
        ] {
            assert!(is_instruction(path), "{path}");
        }
        for path in [
            "CLAUDE.md.bak",
            "MY-CLAUDE.md",
            "CLAUDE.md/notes.txt",
            ".claude",
            "a.claude/x",
            ".claude2/x",
            "",
        ] {
            assert!(!is_instruction(path), "{path}");
        }
        assert!(is_within("a/.claude") && !is_within("a/b") && !is_within(""));
    }
}
