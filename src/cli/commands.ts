/** Which commands there are. Each is loaded when it is called: what one needs makes no other wait. */
import type { Command } from "commander";
import { ssec } from "./called-as.ts";

interface Listed {
  readonly description: string;
  readonly load: () => Promise<Command>;
}

export const COMMANDS: Readonly<Record<string, Listed>> = {
  init: {
    description:
      "sets up a store, a bucket, a key and a caller: wrangler.toml, .dev.vars, and a check of both",
    load: async () => (await import("./commands/init.ts")).initCommand,
  },
  add: {
    description: "adds a bucket, a key or a caller to what is there",
    load: async () => (await import("./commands/add.ts")).addCommand,
  },
  check: {
    description: "checks the configuration and the secrets, and with --live what the stores do",
    load: async () => (await import("./commands/check.ts")).checkCommand,
  },
  keygen: {
    description:
      "makes a customer key: the key goes to standard output, what to do with it to standard error",
    load: async () => (await import("./commands/keygen.ts")).keygenCommand,
  },
  derive: {
    description: "prints the key of one object under a derived key, for recovery without us",
    load: async () => (await import("./commands/derive.ts")).deriveCommand,
  },
  audit: {
    description: "the audit trail, newest first",
    load: async () => (await import("./commands/audit.ts")).auditCommand,
  },
  keys: {
    description: "every key, its state, and how many objects still need it",
    load: async () => (await import("./commands/keys.ts")).keysCommand,
  },
  rotate: {
    description: "re-encrypts a bucket under the key that writes now, while readers and writers go on",
    load: async () => (await import("./commands/rotate.ts")).rotateCommand,
  },
  put: {
    description: "uploads files, and with -r folders",
    load: async () => (await import("./commands/put.ts")).putCommand,
  },
  get: {
    description: "downloads objects, and with -r all that are in a folder",
    load: async () => (await import("./commands/get.ts")).getCommand,
  },
  head: {
    description: "what the store says of an object",
    load: async () => (await import("./commands/objects.ts")).headCommand,
  },
  rm: {
    description: "deletes objects, and with -r all that are in a folder",
    load: async () => (await import("./commands/objects.ts")).rmCommand,
  },
  ls: {
    description: "lists a bucket, or what begins with a prefix: one level, and with -r all",
    load: async () => (await import("./commands/objects.ts")).lsCommand,
  },
  cp: {
    description: "copies objects, and with -r folders, each side under its own key",
    load: async () => (await import("./commands/cp.ts")).cpCommand,
  },
  share: {
    description: "a link that opens, or uploads, an object without any key",
    load: async () => (await import("./commands/share.ts")).shareCommand,
  },
  credentials: {
    description: "S3 credentials for a while, for tools that speak S3",
    load: async () => (await import("./commands/credentials.ts")).credentialsCommand,
  },
  policy: {
    description:
      "a bucket policy that refuses uploads without a customer key: prints it, or applies and proves it",
    load: async () => (await import("./commands/policy.ts")).policyCommand,
  },
  cors: {
    description:
      "a CORS rule with which pages of your origins can use presigned requests: prints it, or applies and proves it",
    load: async () => (await import("./commands/cors.ts")).corsCommand,
  },
  store: {
    description: "an S3 server with SSE-C, for development only",
    load: async () => (await import("../dev-store/command.ts")).storeCommand(`${ssec()} store`),
  },
};

/** Prints a script for a shell, and answers what that asks at each Tab: it has to know all commands. */
export const COMPLETION = {
  name: "complete",
  description: "completion for bash, zsh, fish and PowerShell",
} as const;
