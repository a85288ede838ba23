// Certificates made by openssl for one run alone, in a folder of their own.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CertificateTerms {
  readonly by: string;
  readonly names: string;
  /** From and until, in days from now. */
  readonly days: readonly [number, number];
}

/** Each is a `NAME.pem` with its `NAME.key`. */
export function openCertificates() {
  const dir = mkdtempSync(join(tmpdir(), "weir-certificates-"));
  const fileOf = (name: string): string => join(dir, name);
  return {
    fileOf,
    remove: () => rmSync(dir, { recursive: true, force: true }),
    makeAuthority: async (name: string): Promise<void> => {
      const subject = ["-subj", `/CN=weir test authority ${name}`, "-days", "2"];
      const files = [fileOf(`${name}.key`), "-out", fileOf(`${name}.pem`)];
      await openssl("req", "-x509", ...NEW_KEY, ...files, ...subject);
    },
    /** By `openssl ca`, because only that takes dates in the past. */
    makeCertificate: async (
      name: string,
      { by, names, days: [from, until] }: CertificateTerms,
    ): Promise<void> => {
      const request = fileOf(`${name}.csr`);
      const text = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`];
      await openssl("req", "-new", ...NEW_KEY, fileOf(`${name}.key`), "-out", request, ...text);
      writeFileSync(fileOf("index.txt"), "");
      const settings = [
        `new_certs_dir=${dir}`,
        `database=${fileOf("index.txt")}`,
        "default_md=sha256",
        "policy=any",
      ];
      const rest = ["rand_serial=yes", "copy_extensions=copy", "[any]", "commonName=supplied"];
      const lines = ["[ca]", "default_ca=own", "[own]", ...settings, ...rest, ""];
      writeFileSync(fileOf("ca.cnf"), lines.join("\n"));
      const authority = ["-cert", fileOf(`${by}.pem`), "-keyfile", fileOf(`${by}.key`)];
      const dates = ["-startdate", dateIn(from), "-enddate", dateIn(until)];
      const files = ["-in", request, "-out", fileOf(`${name}.pem`), "-notext"];
      await openssl("ca", "-batch", "-config", fileOf("ca.cnf"), ...authority, ...dates, ...files);
    },
  };
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"];
const DAY_MS = 86_400_000;

/** As ASN.1 writes it: 20260131120000Z. */
const dateIn = (days: number): string =>
  new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, "");

async function openssl(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["openssl", ...args], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [code, text] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (code !== 0) throw new Error(`openssl ${args[0]} ended with ${code}: ${text}`);
}
