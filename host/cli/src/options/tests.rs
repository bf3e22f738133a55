//! Compares the flags with the table of settings, and with the page.

use super::*;

/// Compares the component's table with the flags.
#[test]
fn every_setting_is_a_flag_and_every_flag_a_setting() {
    let command = Options::augment_args(clap::Command::new("test"));
    let flags: Vec<_> = command
        .get_arguments()
        .map(|argument| {
            let value = argument.get_value_names().and_then(<[_]>::first).map(|it| it.as_str());
            let takes_value = argument.get_action().takes_values();
            let help = argument.get_help().unwrap().to_string();
            (format!("--{}", argument.get_long().unwrap()), value.filter(|_| takes_value), help)
        })
        .collect();
    for (setting, (flag, value, help)) in SETTINGS.iter().zip(&flags) {
        assert_eq!(
            (setting.flag, setting.value, setting.help),
            (flag.as_str(), *value, help.as_str())
        );
        let variable = setting.flag.trim_start_matches('-').replace('-', "_").to_uppercase();
        assert_eq!(setting.variable, format!("VAULTLET_{variable}"));
    }
    assert_eq!(SETTINGS.len(), flags.len());
}

/// Searches the page about the command line for every setting.
#[test]
fn the_page_has_every_setting() {
    let page = include_str!("../../README.md");
    let section = page.split("\n## ").find(|it| it.starts_with("Settings\n")).unwrap();
    for Setting { flag, value, .. } in SETTINGS {
        let usage = match value {
            Some(value) => format!("`{flag} {value}`"),
            None => format!("`{flag}`"),
        };
        assert!(section.contains(&usage), "the section \"Settings\" of README.md has no {usage}");
    }
}
