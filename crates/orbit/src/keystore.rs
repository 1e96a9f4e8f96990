//! [`Keystore`]: the private keys of a data folder.

mod place;

use crate::{
    Identity, IdentityError, KeyError, KeyFileError, NotAPublicKey, PublicKey, SigningKey, UserKey,
    key_file::{KeyFile, KeyKind, MAX_KEY_FILE},
};
use place::Place;
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

/// Why a keystore does not give what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// A name that is no name of an identity.
    #[error("`{0}` cannot name an identity: use 1 to 64 letters, digits and the characters `_`, `.` and `-`")]
    Name(String),
    /// The file system.
    #[error("the keystore could not {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Of which file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file that holds no key.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyFileError,
    },
    /// A file that holds the id of a user and does not.
    #[error("{path} does not hold the id of a user: {source}; import the user's key again")]
    Stub {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: NotAPublicKey,
    },
    /// A device key whose certificate is not by its user.
    #[error(
        "the certificate in {path} is not valid: {source}; delete the file and import the user's key to make a new device key"
    )]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: IdentityError,
    },
    /// The device key was made in another place, and the root key is not here to certify a new one.
    #[error(
        "the data folder was copied or restored: the device key of `{name}` in {path} was made in another place, and two devices must not share one. \
         Reading works; to write as `{name}`, import the user's key, so that this device gets a key of its own"
    )]
    Copied {
        /// The identity's name.
        name: String,
        /// The device key's file.
        path: PathBuf,
    },
    /// There is no device key, and the root key is not here to certify one.
    #[error(
        "this device has no key for `{name}` ({id}), and the user's key is not here to certify one; import the user's key"
    )]
    NoDevice {
        /// The identity's name.
        name: String,
        /// The user's id.
        id: String,
    },
    /// The root key is not in this keystore.
    #[error("the user's key of `{0}` is not in this keystore: it was taken out, or there is no such identity")]
    NoUserKey(String),
    /// The name belongs to another user.
    #[error(
        "`{name}` is the user {id} in this keystore, and the imported key is another user's; import it under another name"
    )]
    Taken {
        /// The identity's name.
        name: String,
        /// Whose it is.
        id: String,
    },
    /// The imported text is no key.
    #[error("the key could not be imported: {0}")]
    Import(#[from] KeyFileError),
    /// No new key could be made.
    #[error("no new key could be made: {0}")]
    Key(#[from] KeyError),
}

/// The private keys of a data folder: files that only their owner may read, in a folder of its own.
///
/// | file | holds |
/// |---|---|
/// | `user-<name>.key` | a user's root key |
/// | `user-<name>.id` | the user's id, where the root key was taken out |
/// | `device-<id>.key` | this device's key for that user, with the root key's certificate |
/// | `device-<id>.place` | where that file was made: machine, file system and file number |
///
/// A folder that was copied or restored from a backup holds a device key that another device may use too, or used
/// further. Two devices with one key would share a clock and overwrite each other's records without a trace. So a
/// device key whose file is not where it was made is replaced by a new one as soon as the identity is asked for;
/// without the root key that is the error [`KeystoreError::Copied`].
#[derive(Debug)]
pub struct Keystore {
    folder: PathBuf,
    identities: Mutex<HashMap<String, Identity>>,
}

impl Keystore {
    /// The keystore in this folder, which is made if it is missing.
    ///
    /// # Errors
    /// If the folder cannot be made, or not be made private.
    pub fn open(folder: &Path) -> Result<Keystore, KeystoreError> {
        let io = |action, source| KeystoreError::Io { action, path: folder.to_owned(), source };
        if !folder.is_dir() {
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(folder).map_err(|e| io("make the folder", e))?;
        }
        restrict(folder, 0o700).map_err(|e| io("restrict the folder to its owner:", e))?;
        Ok(Keystore { folder: folder.to_owned(), identities: Mutex::default() })
    }

    /// The identity of this name. The first time it is asked for, its two keys are made.
    ///
    /// # Errors
    /// If the name is none, a file cannot be read or written, or the device key came from elsewhere and the root key is
    /// not at hand.
    pub fn identity(&self, name: &str) -> Result<Identity, KeystoreError> {
        check(name)?;
        let mut known = self.known();
        if let Some(identity) = known.get(name) {
            return Ok(identity.clone());
        }
        let user = match self.user(name)? {
            User::Missing => {
                let key = UserKey::generate()?;
                self.write(&self.user_file(name, "key"), &key.export())?;
                User::Key(key)
            }
            user => user,
        };
        let identity = self.device(name, &user)?;
        known.insert(name.to_owned(), identity.clone());
        Ok(identity)
    }

    /// Makes a user of another device a user here, under this name: `key` is what [`UserKey::export`] gave. Importing
    /// the same key again does nothing; importing it where it had been taken out puts it back.
    ///
    /// # Errors
    /// If the name is none or another user's, the text is no key, or a file cannot be written.
    pub fn import(&self, name: &str, key: &[u8]) -> Result<Identity, KeystoreError> {
        check(name)?;
        let key = UserKey::import(key)?;
        {
            let mut known = self.known();
            let taken = |id: String| KeystoreError::Taken { name: name.to_owned(), id };
            match self.user(name)? {
                User::Key(old) if old.id() != key.id() => return Err(taken(old.id())),
                User::Id(id) if id.to_string() != key.id() => return Err(taken(id.to_string())),
                User::Key(_) => {}
                User::Id(_) | User::Missing => {
                    self.write(&self.user_file(name, "key"), &key.export())?;
                    known.remove(name);
                }
            }
        }
        self.identity(name)
    }

    /// The root key of the user of this name, to be kept safe or carried to another device.
    ///
    /// # Errors
    /// If it is not here, or cannot be read.
    pub fn user_key(&self, name: &str) -> Result<UserKey, KeystoreError> {
        check(name)?;
        let _known = self.known();
        match self.user(name)? {
            User::Key(key) => Ok(key),
            _ => Err(KeystoreError::NoUserKey(name.to_owned())),
        }
    }

    /// Takes the root key of the user of this name out of the keystore, to be kept offline. The device's key stays, and
    /// goes on signing; a further device, or a copy of this folder, needs the root key again ([`Keystore::import`]).
    ///
    /// # Errors
    /// If it is not here, or a file cannot be read or written.
    pub fn take_user_key(&self, name: &str) -> Result<UserKey, KeystoreError> {
        // the device gets its certificate before the key that makes it goes
        self.identity(name)?;
        let key = self.user_key(name)?;
        let _known = self.known();
        self.write(&self.user_file(name, "id"), &Zeroizing::new(format!("{}\n", key.id())))?;
        let path = self.user_file(name, "key");
        fs::remove_file(&path).map_err(|source| KeystoreError::Io { action: "remove", path, source })?;
        self.sync_folder()?;
        Ok(key)
    }

    /// The names of the identities in this keystore, sorted.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, KeystoreError> {
        let io = |source| KeystoreError::Io { action: "list", path: self.folder.clone(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(io)? {
            let file = entry.map_err(io)?.file_name();
            let stem = file.to_str().and_then(|file| file.strip_prefix("user-"));
            let stem = stem.and_then(|file| file.strip_suffix(".key").or_else(|| file.strip_suffix(".id")));
            names.extend(stem.and_then(from_file_name));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// The users of the identities in this keystore, whose root keys need not be here.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be read.
    pub fn users(&self) -> Result<Vec<PublicKey>, KeystoreError> {
        let names = self.names()?;
        let _known = self.known();
        let mut users = Vec::with_capacity(names.len());
        for name in names {
            match self.user(&name)? {
                User::Key(key) => users.push(key.key().public_key()),
                User::Id(id) => users.push(id),
                User::Missing => {}
            }
        }
        Ok(users)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Identity>> {
        // a panic elsewhere cannot leave the map half changed
        self.identities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn user_file(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("user-{}.{extension}", file_name(name)))
    }

    fn user(&self, name: &str) -> Result<User, KeystoreError> {
        let path = self.user_file(name, "key");
        if let Some(text) = self.read(&path)? {
            let key = UserKey::import(&text).map_err(|source| KeystoreError::File { path, source })?;
            return Ok(User::Key(key));
        }
        let path = self.user_file(name, "id");
        match self.read(&path)? {
            Some(text) => {
                let id = String::from_utf8_lossy(&text).trim().parse();
                id.map(User::Id).map_err(|source| KeystoreError::Stub { path, source })
            }
            None => Ok(User::Missing),
        }
    }

    /// This device's identity for a user; a new one if there is none, or the one there is came from elsewhere.
    fn device(&self, name: &str, user: &User) -> Result<Identity, KeystoreError> {
        let (id, root) = match user {
            User::Key(key) => (key.key().public_key(), Some(key)),
            User::Id(id) => (*id, None),
            User::Missing => return Err(KeystoreError::NoUserKey(name.to_owned())),
        };
        let path = self.folder.join(format!("device-{id}.key"));
        let place = self.folder.join(format!("device-{id}.place"));
        if let Some(text) = self.read(&path)? {
            let here =
                Place::of(&path).map_err(|e| KeystoreError::Io { action: "look at", path: path.clone(), source: e })?;
            if self.read(&place)?.is_some_and(|made| here.is(&made)) {
                let file = KeyFile::parse(&text, KeyKind::Device)
                    .map_err(|source| KeystoreError::File { path: path.clone(), source })?;
                return Identity::certified(id, file.key, &file.certificate.unwrap_or_default())
                    .map_err(|source| KeystoreError::Certificate { path, source });
            }
            if root.is_none() {
                return Err(KeystoreError::Copied { name: name.to_owned(), path });
            }
        }
        let Some(root) = root else {
            return Err(KeystoreError::NoDevice { name: name.to_owned(), id: id.to_string() });
        };
        let key = SigningKey::generate()?;
        let secret = key.to_bytes();
        let identity = Identity::new(root.key(), key);
        let file = KeyFile {
            kind: KeyKind::Device,
            key: SigningKey::from_bytes(&secret)?,
            certificate: Some(identity.certificate().to_owned()),
        };
        self.write(&path, &file.to_text())?;
        // killed between the two writes, the next opening finds a key without its place, and makes another: nothing was
        // signed yet
        let here = Place::of(&path).map_err(|source| KeystoreError::Io { action: "look at", path, source })?;
        self.write(&place, &Zeroizing::new(here.to_text()))?;
        Ok(identity)
    }

    fn read(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeystoreError> {
        let io = |source| KeystoreError::Io { action: "read", path: path.to_owned(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        // a copy may have lost the mode
        restrict(path, 0o600).map_err(|source| KeystoreError::Io {
            action: "restrict to its owner:",
            path: path.to_owned(),
            source,
        })?;
        let mut text = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE + 1));
        file.take(MAX_KEY_FILE as u64 + 1).read_to_end(&mut text).map_err(io)?;
        Ok(Some(text))
    }

    /// Writes a file whole, or not at all, so that only its owner may read it.
    fn write(&self, path: &Path, text: &Zeroizing<String>) -> Result<(), KeystoreError> {
        let mut draft = path.as_os_str().to_owned();
        draft.push(".new");
        let draft = PathBuf::from(draft);
        let write = || {
            // a draft that a killed process left may have any mode
            match fs::remove_file(&draft) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        write().map_err(|source| KeystoreError::Io { action: "write", path: path.to_owned(), source })?;
        self.sync_folder()
    }

    /// Makes new and removed names in the folder durable.
    fn sync_folder(&self) -> Result<(), KeystoreError> {
        #[cfg(unix)]
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|source| KeystoreError::Io {
            action: "sync",
            path: self.folder.clone(),
            source,
        })?;
        Ok(())
    }
}

enum User {
    Key(UserKey),
    Id(PublicKey),
    Missing,
}

fn check(name: &str) -> Result<(), KeystoreError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
    if (1..=64).contains(&name.len()) && name.bytes().all(good) {
        Ok(())
    } else {
        Err(KeystoreError::Name(name.chars().take(80).collect()))
    }
}

/// Some file systems do not tell `Alice` from `alice`: capitals are written as `+a`.
fn file_name(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            file.push('+');
        }
        file.push(letter.to_ascii_lowercase());
    }
    file
}

fn from_file_name(file: &str) -> Option<String> {
    let mut name = String::with_capacity(file.len());
    let mut letters = file.chars();
    while let Some(letter) = letters.next() {
        name.push(if letter == '+' { letters.next()?.to_ascii_uppercase() } else { letter });
    }
    (check(&name).is_ok() && file_name(&name) == file).then_some(name)
}

/// Takes away what others than the owner may do with a file.
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path)?.permissions().mode() & 0o777 & !mode != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
        }
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

#[cfg(test)]
mod tests;
