// Real sshd processes on loopback, each as a node of its own: keys, ports, GPUs and state folders, and a client's
// configuration that knows them, so that nothing of the user's is read or written.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SSHD = "/usr/sbin/sshd";
export const hasSshd = existsSync(SSHD);

export interface TestNodes extends AsyncDisposable {
  readonly folder: string;
  /** For --ssh-command. */
  readonly sshCommand: string;
  /** An environment whose home is in the folder. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends one node's sshd. */
  readonly takeDown: (name: string) => Promise<void>;
}

/**
 * Names and numbers of GPUs; `undefined` for a node without nvidia-smi. A node named `dead` has no sshd, and one named
 * `behind` is reached through the first node.
 */
export async function startNodes(gpus: Readonly<Record<string, number | undefined>>): Promise<TestNodes> {
  const folder = mkdtempSync(join(tmpdir(), "weir-nodes-"));
  const run = (...words: string[]): void => {
    const { exitCode, stderr } = Bun.spawnSync(words);
    if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr.toString()}`);
  };
  // Where sshd as root keeps an empty folder to lock itself into.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true });
  run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(folder, "user"));
  run("cp", join(folder, "user.pub"), join(folder, "authorized"));
  const daemons = new Map<string, Bun.Subprocess>();
  const client = [
    "Host *",
    `  IdentityFile ${join(folder, "user")}`,
    "  IdentitiesOnly yes",
    `  User ${Bun.spawnSync(["id", "-un"]).stdout.toString().trim()}`,
    `  UserKnownHostsFile ${join(folder, "known")}`,
    "  GlobalKnownHostsFile /dev/null",
    "  StrictHostKeyChecking accept-new",
  ];
  const hosts: string[] = [];
  let number = 0;
  for (const [name, count] of Object.entries(gpus)) {
    number += 1;
    const address = `127.0.0.${number}`;
    const port = await freePort(address);
    const home = join(folder, name);
    mkdirSync(join(home, "bin"), { recursive: true });
    if (count !== undefined) {
      const lines = Array.from(
        { length: count },
        (_, at) => `echo 'GPU ${at}: NVIDIA Stand-in (UUID: GPU-${at})'`,
      );
      writeFileSync(join(home, "bin/nvidia-smi"), `#!/bin/sh\n${lines.join("\n")}\n`);
      chmodSync(join(home, "bin/nvidia-smi"), 0o755);
    }
    hosts.push(`Host ${name}`, `  HostName ${address}`, `  Port ${port}`);
    if (name === "behind") hosts.push(`  ProxyJump ${Object.keys(gpus)[0] ?? ""}`);
    if (name === "dead") continue;
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(home, "hostkey"));
    const path = `${join(home, "bin")}:/usr/local/bin:/usr/bin:/bin`;
    writeFileSync(
      join(home, "sshd_config"),
      [
        `ListenAddress ${address}:${port}`,
        `HostKey ${join(home, "hostkey")}`,
        `AuthorizedKeysFile ${join(folder, "authorized")}`,
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "PermitRootLogin prohibit-password",
        "PrintMotd no",
        `SetEnv PATH=${path} XDG_STATE_HOME=${join(home, "state")} HOME=${home}`,
        "",
      ].join("\n"),
    );
    const log = Bun.file(join(home, "sshd.log"));
    daemons.set(
      name,
      Bun.spawn([SSHD, "-D", "-e", "-f", join(home, "sshd_config")], { stdout: log, stderr: log }),
    );
    await listening(address, port, () => readFileSync(join(home, "sshd.log"), "utf8"));
  }
  writeFileSync(join(folder, "ssh_config"), [...hosts, ...client, ""].join("\n"));
  const takeDown = async (name: string): Promise<void> => {
    daemons.get(name)?.kill();
    await daemons.get(name)?.exited;
  };
  return {
    folder,
    sshCommand: `ssh -F ${join(folder, "ssh_config")}`,
    environment: {
      PATH: process.env["PATH"],
      HOME: join(folder, "desk"),
    },
    takeDown,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...daemons.keys()].map(takeDown));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, address, () => {
      const at = server.address();
      server.close(() => resolve(typeof at === "object" && at !== null ? at.port : 0));
    });
  });
}

const isOpen = (address: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, address);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

async function listening(address: string, port: number, log: () => string): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isOpen(address, port)) return;
    await Bun.sleep(20);
  }
  throw new Error(`sshd does not listen on ${address}:${port}: ${log()}`);
}

/** The first of so many ports in a row that nobody has. */
export async function freeRange(count: number): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 15_000 + Math.floor(Math.random() * 15_000);
    const used = await Promise.all(
      Array.from({ length: count }, async (_, at) => {
        try {
          const server = Bun.listen({ hostname: "0.0.0.0", port: first + at, socket: { data() {} } });
          server.stop(true);
          return false;
        } catch {
          return true;
        }
      }),
    );
    if (!used.includes(true)) return first;
  }
  throw new Error(`no ${count} free ports in a row`);
}
