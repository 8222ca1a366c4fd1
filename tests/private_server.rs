//! A PostgreSQL server of a test's own, to stop and to start.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A server in a directory of its own, which goes with this. Its user `postgres` has the password
/// `secret`.
pub struct PrivateServer {
    programs: PathBuf,
    directory: PathBuf,
    port: u16,
}

impl PrivateServer {
    /// A new one that runs, where PostgreSQL is installed. Else the test says that it is skipped.
    pub fn start(name: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            println!("skipped, as PostgreSQL is not installed: {name}");
            return None;
        };
        let place = format!("timbal-{name}-{}", std::process::id());
        let directory = std::env::temp_dir().join(place);
        let _if_there = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).expect("a directory can be made");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("a port is free").port();
        fs::write(directory.join("password"), "secret").expect("a file can be written");
        if is_root() {
            run(Command::new("chown").args(["-R", USER]).arg(&directory));
        }
        let server = Self { programs, directory, port };
        let mut initdb = server.command("initdb");
        initdb.args(["--auth=scram-sha-256", "--username=postgres", "--no-sync", "--pwfile"]);
        run(initdb.arg(server.directory.join("password")));
        server.start_again();
        Some(server)
    }

    /// Where it is, for its user.
    pub fn url(&self) -> String {
        format!("postgres://postgres:secret@127.0.0.1:{}/postgres", self.port)
    }

    /// Gives it a certificate for 127.0.0.1, and the file with the authority that signed it. Beside
    /// that stands its own, `server.crt`. The program `openssl` comes with PostgreSQL's packages.
    pub fn certify(&self) -> PathBuf {
        self.make_certificate("authority", &[]);
        let signed = "-CA authority.crt -CAkey authority.key -addext subjectAltName=IP:127.0.0.1
            -addext basicConstraints=critical,CA:FALSE";
        self.make_certificate("server", &signed.split_whitespace().collect::<Vec<_>>());
        let conf =
            OpenOptions::new().append(true).open(self.directory.join("data/postgresql.conf"));
        let ssl = "ssl = on\nssl_cert_file = '../server.crt'\nssl_key_file = '../server.key'\n";
        conf.and_then(|mut conf| conf.write_all(ssl.as_bytes())).expect("a file can be written");
        self.stop();
        self.start_again();
        self.directory.join("authority.crt")
    }

    /// Makes `NAME.crt` and `NAME.key`.
    fn make_certificate(&self, name: &str, options: &[&str]) {
        let mut openssl = self.as_user("openssl");
        let always = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1";
        openssl.args(always.split(' ')).args(options);
        openssl.args(["-subj", &format!("/CN={name}"), "-keyout", &format!("{name}.key")]);
        run(openssl.args(["-out", &format!("{name}.crt")]));
    }

    /// Starts it again, as it was.
    pub fn start_again(&self) {
        let place = self.directory.display();
        let options = format!("-p {} -k {place} -h 127.0.0.1", self.port);
        let mut command = self.command("pg_ctl");
        command.args(["-w", "-o", &options, "-l"]).arg(self.directory.join("log")).arg("start");
        // It refuses while there are still processes of one that was killed.
        let has_started = (0..100).any(|_| quiet(&mut command).success());
        assert!(has_started, "{}", fs::read_to_string(self.directory.join("log")).unwrap());
    }

    /// Kills its first process, without which the others end.
    pub fn kill(&self) {
        let file = fs::read_to_string(self.directory.join("data/postmaster.pid"));
        let process = file.expect("it runs").lines().next().map(str::to_owned);
        run(Command::new("kill").arg("-9").args(process));
    }

    /// Stops it as if the machine had lost its power.
    pub fn stop(&self) {
        run(&mut self.stopping());
    }

    fn stopping(&self) -> Command {
        let mut command = self.command("pg_ctl");
        command.args(["-w", "-m", "immediate", "stop"]);
        command
    }

    /// One of its programs.
    fn command(&self, program: &str) -> Command {
        let mut command = self.as_user(self.programs.join(program));
        command.arg("-D").arg(self.directory.join("data"));
        command
    }

    /// A program in its directory. Its own refuse to run for root.
    fn as_user(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args([&format!("--reuid={USER}"), "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(&self.directory);
        command
    }
}

/// Whose the server is where the test is root's.
const USER: &str = "nobody";

impl Drop for PrivateServer {
    fn drop(&mut self) {
        let _if_it_runs = self.stopping().output();
        let _if_there = fs::remove_dir_all(&self.directory);
    }
}

/// Where Debian and its like put them, the latest version of several.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let programs = versions.flatten().map(|version| version.path().join("bin"));
    programs.filter(|programs| programs.join("initdb").exists()).max()
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(
        &fs::metadata(Path::new("/proc/self")).expect("it is there"),
    ) == 0
}

fn run(command: &mut Command) {
    let status = quiet(command);
    assert!(status.success(), "{command:?}: {status}");
}

/// Not to a pipe: a server that was started would keep it open.
fn quiet(command: &mut Command) -> ExitStatus {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("it is installed")
}
