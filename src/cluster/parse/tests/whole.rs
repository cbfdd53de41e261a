use std::net::Ipv4Addr;

use insta::assert_snapshot;

use super::{VALID, valid_with};
use crate::cluster::{Addressing, Role, SourceChoice, Swap, parse};
use crate::diagnostic::{Color, render};

#[test]
fn the_shortest_file_has_the_documented_defaults() {
    let cluster = parse(VALID).unwrap();
    assert_eq!(cluster.name.as_str(), "elephant");
    assert_eq!(cluster.master().address, Ipv4Addr::new(192, 168, 1, 10));
    assert_eq!(cluster.workers().count(), 1);
    assert_eq!(cluster.network.addressing, Addressing::Static);
    assert_eq!(cluster.network.spare_workers, 16);
    assert_eq!(cluster.settings.timezone, "Etc/UTC");
    assert_eq!(cluster.settings.locale, "C.UTF-8");
    assert_eq!(cluster.settings.swap, Swap::Zram);
    assert_eq!(cluster.settings.journal_mib, 200);
    assert!(cluster.access.passwordless_sudo && cluster.access.password_hash.is_none());

    let cluster = valid_with("java   = \"temurin-17\"\nhadoop = \"hadoop-3.5.0\"\n", "");
    let named = |choice: &SourceChoice| match choice {
        SourceChoice::Recipe { name, .. } => name.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(named(&cluster.image.java), "temurin-17");
    assert_eq!(named(&cluster.image.hadoop), "hadoop-3.5.0");
    assert_eq!(valid_with("user = \"pi\"\n", "").access.user.as_str(), "pi");
}

#[test]
fn every_key_there_is_can_be_written() {
    let text = r#"
schema = 1
cluster = { name = "e2" }
[image.base]
path = "~/images/base.img.xz"
sha256 = "CDF4F3BFAC35AE947B46E4E767F935453810549779AC3290E05A6754AEE627E5"
recipe = "raspios-trixie-lite-arm64"
[image.java]
url = "https://example.org/jre.tar.gz"
[access]
user = "alice"
authorized_keys = []
password_hash = "$y$j9T$saltsaltsalt$0123456789012345678901234567890123456789012"
passwordless_sudo = false
[network]
mode = "dhcp"
subnet = "10.0.0.0/16"
gateway = "10.0.0.1"
dns = ["9.9.9.9", "10.0.0.2"]
ntp = ["10.0.0.3", "pool.ntp.org"]
domain = "lan"
spare_workers = 0
link = "100M"
[network.wifi]
ssid = "Elephant House"
passphrase_file = "~/wifi.passphrase"
country = "AR"
hidden = true
[settings]
timezone = "America/Argentina/Ushuaia"
locale = "de_DE.UTF-8"
swap = "none"
journal = "1G"
[[node]]
name = "m"
role = "master"
board = "pi5-8gb"
address = "10.0.1.1"
mac = "DC-A6-32-01-02-03"
rack = "/hall/a"
[node.hadoop.properties."yarn-site.xml"]
"yarn.nodemanager.resource.memory-mb" = 1024
[[node]]
name = "w"
role = "worker"
board = "pi3plus-1gb"
address = "10.0.1.2"
wifi = true
rack = "/hall/b"
[hadoop.properties."core-site.xml"]
"fs.trash.interval" = 1_440
"a.ratio" = 0.5
"a.switch" = true
"#;
    let cluster = parse(text).unwrap_or_else(|problems| {
        panic!("{}", render("cluster.toml", text, &problems, Color::Off))
    });
    assert_snapshot!(serde_json::to_string_pretty(&cluster).unwrap(), @r#"
    {
      "name": "e2",
      "image": {
        "base": {
          "path": {
            "path": "~/images/base.img.xz",
            "sha256": "cdf4f3bfac35ae947b46e4e767f935453810549779ac3290e05a6754aee627e5",
            "recipe": "raspios-trixie-lite-arm64"
          }
        },
        "java": {
          "url": {
            "url": "https://example.org/jre.tar.gz",
            "sha256": null,
            "recipe": null
          }
        },
        "hadoop": {
          "recipe": {
            "name": "hadoop-3.5.0"
          }
        }
      },
      "access": {
        "user": "alice",
        "authorized_keys": [],
        "passwordless_sudo": false
      },
      "network": {
        "addressing": "dhcp",
        "subnet": "10.0.0.0/16",
        "gateway": "10.0.0.1",
        "dns": [
          "9.9.9.9",
          "10.0.0.2"
        ],
        "ntp": [
          "10.0.0.3",
          "pool.ntp.org"
        ],
        "domain": "lan",
        "spare_workers": 0,
        "link": "100M",
        "wifi": {
          "ssid": "Elephant House",
          "country": "AR",
          "hidden": true
        }
      },
      "settings": {
        "timezone": "America/Argentina/Ushuaia",
        "locale": "de_DE.UTF-8",
        "swap": "none",
        "journal_mib": 1024
      },
      "nodes": [
        {
          "name": "m",
          "role": "master",
          "board": {
            "name": "pi5-8gb",
            "model": "Raspberry Pi 5",
            "label_mib": 8192,
            "visible_mib": 7800,
            "cores": 4,
            "link": "1G"
          },
          "address": "10.0.1.1",
          "mac": "dc:a6:32:01:02:03",
          "wifi": false,
          "rack": "/hall/a",
          "properties": {
            "yarn-site.xml": {
              "yarn.nodemanager.resource.memory-mb": {
                "value": "1024"
              }
            }
          }
        },
        {
          "name": "w",
          "role": "worker",
          "board": {
            "name": "pi3plus-1gb",
            "model": "Raspberry Pi 3 Model B+",
            "label_mib": 1024,
            "visible_mib": 900,
            "cores": 4,
            "link": "300M"
          },
          "address": "10.0.1.2",
          "mac": null,
          "wifi": true,
          "rack": "/hall/b",
          "properties": {}
        }
      ],
      "properties": {
        "core-site.xml": {
          "a.ratio": {
            "value": "0.5"
          },
          "a.switch": {
            "value": "true"
          },
          "fs.trash.interval": {
            "value": "1440"
          }
        }
      }
    }
    "#);
    assert_eq!(cluster.nodes[0].role, Role::master());
    assert!(
        cluster.access.password_hash.is_some(),
        "kept, though never shown"
    );
}
