/** The command line: what holds for all commands, and as many of them as a call needs. */
import { Command, Option } from "commander";
import { ssec } from "./called-as.ts";
import { COMMANDS, COMPLETION } from "./commands.ts";
import { ownPackage } from "./package.ts";
import { given, printableLines } from "./terminal.ts";
import { usualConfig } from "./usual-config.ts";

/** Made when the program is in the caller's folder. */
const globals = () => [
  new Option("--config <path>", "the Worker's configuration").default(usualConfig()),
  new Option("--env <name>", "its environment").env("CLOUDFLARE_ENV"),
  new Option("--url <url>", "the Worker, where a command talks to it with SSEC_TOKEN").default(
    "http://127.0.0.1:8787",
  ),
];

/** @param args what comes after the program's name */
export async function programFor(args: readonly string[]): Promise<Command> {
  const called = readCalled(args);
  given.args = args;
  given.globals = called.globals;
  const program = bare()
    .description("The operator's tools of ssec-edge")
    .version(ownPackage().version, "--version", "print the version")
    .addHelpText("after", help);
  const isLoaded = (name: string) => called.names.includes(name) || called.names.includes(COMPLETION.name);
  for (const [name, { description, load }] of Object.entries(COMMANDS)) {
    const command = isLoaded(name) ? await load() : new Command(name);
    program.addCommand(command.description(description));
  }
  for (const command of withSubcommands(program)) {
    command.exitOverride();
    // It repeats what was given, which the shell may have put there from names of files.
    command.configureOutput({ outputError: (text, write) => write(printableLines(text)) });
  }
  if (called.names.includes(COMPLETION.name)) (await import("@bomb.sh/tab/commander")).default(program);
  else program.addCommand(new Command(COMPLETION.name).description(COMPLETION.description));
  return program;
}

function bare(): Command {
  const program = new Command("ssec");
  for (const option of globals()) program.addOption(option);
  return program;
}

/** The commands that are meant, and the options before them: `help put` means two. */
function readCalled(args: readonly string[]): { names: readonly string[]; globals: readonly string[] } {
  const program = bare();
  const { operands } = program.parseOptions([...args]);
  const [first = "", second = ""] = operands;
  const values = program.options.flatMap((option) => {
    const name = option.attributeName();
    const value = program.getOptionValueSource(name) === "cli" ? program.getOptionValue(name) : undefined;
    return typeof value === "string" ? [option.long ?? "", value] : [];
  });
  return { names: first === "help" ? [first, second] : [first], globals: values };
}

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];

const help = () => `
Examples:
  ${ssec()} init
  ${ssec()} --env production check
  ${ssec()} --url https://edge.example.com audit --since 24h

It works in the folder that it is called in. HTTPS_PROXY, HTTP_PROXY and NO_PROXY are kept to.

Exit status: 0 done; 1 something is not as it should be, or was refused; 2 the command line is wrong.
Colours are left out where standard output is no terminal, or NO_COLOR is set.`;
