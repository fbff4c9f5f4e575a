/** Certificates for 127.0.0.1, made at run time by the openssl of this machine. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** Where the certificate is, for whoever shall trust it. */
  readonly file: string;
}

const CONFIG = `[ca]
default_ca = ca
[ca]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = policy
x509_extensions = extensions
[policy]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
basicConstraints = critical, CA:true
`;

/** @param from, @param until as openssl has them, e.g. 20260101000000Z */
export function selfSigned(dir: string, from: string, until: string): Certificate {
  mkdirSync(dir);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: dir, stdio: "pipe" });
  writeFileSync(join(dir, "ca.conf"), CONFIG);
  writeFileSync(join(dir, "index.txt"), "");
  writeFileSync(join(dir, "serial"), "01\n");
  openssl(
    "req",
    "-new",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-subj",
    "/CN=store",
    "-keyout",
    "key.pem",
    "-out",
    "request.pem",
  );
  openssl(
    "ca",
    "-batch",
    "-selfsign",
    "-config",
    "ca.conf",
    "-keyfile",
    "key.pem",
    "-in",
    "request.pem",
    "-startdate",
    from,
    "-enddate",
    until,
    "-notext",
    "-out",
    "cert.pem",
  );
  const file = join(dir, "cert.pem");
  return { key: readFileSync(join(dir, "key.pem"), "utf8"), cert: readFileSync(file, "utf8"), file };
}
