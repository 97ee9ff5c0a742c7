//! The one form in which a manifest is written.

use super::{Manifest, Place};
use crate::base::http::UrlPath;
use crate::base::name::{PackageName, UnitName, UserName};
use crate::base::path::TargetPath;
use crate::store::object::ObjectName;
use crate::store::toml_writer::TomlWriter;

impl Manifest {
    /// The one form of this manifest. Lists must be sorted ([`Manifest::sort`]).
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = TomlWriter::default();
        out.number("format", self.format);
        out.text("host", self.host.as_str());
        out.texts("packages", self.packages.iter().map(PackageName::as_str));
        out.table("target");
        out.text("arch", &self.target.arch);
        out.text("python", &self.target.python);
        out.text("system", &self.target.system);
        self.write_files(&mut out);
        self.write_units(&mut out);
        self.write_users(&mut out);
        self.write_proofs(&mut out);
        out.finish()
    }

    fn write_files(&self, out: &mut TomlWriter) {
        for object in &self.objects {
            out.element("object");
            out.text("hash", &object.digest.hex());
            out.text("kind", object.digest.kind());
            out.text("name", object.name.as_str());
            out.number("size", object.size);
        }
        for path in &self.paths {
            out.element("path");
            out.text("path", path.path.as_str());
            out.text_if("object", path.object().map(ObjectName::as_str));
            out.text("place", path.place.as_str());
            out.text_if("mode", path.mode().map(|mode| mode.to_string()).as_deref());
            if let Place::Straight(to) = &path.place {
                out.text("to", to.as_str());
            }
            out.flag_if("adopt", path.adopt);
        }
    }

    fn write_units(&self, out: &mut TomlWriter) {
        for unit in &self.units {
            out.element("unit");
            out.text("name", unit.name.as_str());
            out.text("object", unit.object.as_str());
            out.text("digest", &unit.digest.hex());
            out.text_if("reload", unit.reload.map(|digest| digest.hex()).as_deref());
            out.flag("restart_if_changed", unit.restart_if_changed);
            out.flag("reload_if_changed", unit.reload_if_changed);
            out.flag("stop_if_changed", unit.stop_if_changed);
            out.flag("stop_on_removal", unit.stop_on_removal);
            out.number("start_timeout", unit.start_timeout);
            out.number("stop_timeout", unit.stop_timeout);
            out.texts("wanted_by", unit.wanted_by.iter().map(UnitName::as_str));
            out.flag_if("adopt", unit.adopt);
        }
        for drop_in in &self.drop_ins {
            out.element("drop_in");
            out.text("unit", drop_in.unit.as_str());
            out.text("name", drop_in.name.as_str());
            out.text("object", drop_in.object.as_str());
        }
    }

    fn write_users(&self, out: &mut TomlWriter) {
        for group in &self.groups {
            out.element("group");
            out.text("name", group.name.as_str());
        }
        for user in &self.users {
            out.element("user");
            out.text("name", user.name.as_str());
            out.text("group", user.group.as_str());
            out.text("home", user.home.as_str());
            out.text("shell", user.shell.as_str());
            out.flag_if("adopt", user.adopt);
        }
        for directory in &self.directories {
            out.element("directory");
            out.text("path", directory.path.as_str());
            out.text("mode", &directory.mode.to_string());
            out.text("owner", directory.owner.as_str());
            out.text("group", directory.group.as_str());
        }
    }

    fn write_proofs(&self, out: &mut TomlWriter) {
        for venv in &self.venvs {
            out.element("venv");
            out.text("name", venv.name.as_str());
            out.text("object", venv.object.as_str());
            out.text("lock", venv.lock.as_str());
            out.texts("imports", venv.imports.iter().map(String::as_str));
            for build in &venv.builds {
                out.element("venv.build");
                out.text("package", build.package.as_str());
                out.text("version", &build.version);
                out.text("source", build.source.as_str());
                out.text("backend", &build.backend);
                out.texts("backend_path", build.backend_path.iter().map(String::as_str));
            }
        }
        for secret in &self.secrets {
            out.element("secret");
            out.text("unit", secret.unit.as_str());
            out.text("name", &secret.name);
            out.text("path", secret.path.as_str());
            out.text_if("object", secret.object.as_ref().map(ObjectName::as_str));
        }
        for check in &self.checks {
            out.element("check");
            out.text("name", check.name.as_str());
            out.text("kind", check.kind.as_str());
            if let Some(port) = check.port {
                out.number("port", u64::from(port));
            }
            out.text_if("path", check.path.as_ref().map(TargetPath::as_str));
            out.text_if("url_path", check.url_path.as_ref().map(UrlPath::as_str));
            if let Some(status) = check.status {
                out.number("status", u64::from(status));
            }
            out.text_if("contains", check.contains.as_deref());
            if !check.command.is_empty() {
                out.texts("command", check.command.iter().map(String::as_str));
            }
            out.text_if("user", check.user.as_ref().map(UserName::as_str));
            out.text_if("unit", check.unit.as_ref().map(UnitName::as_str));
            out.number("within_ms", check.within_ms);
        }
    }
}
