/** Many small programs, run by one interpreter: to start it and to load what they import takes longer than all that they do. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** Takes lines of JSON, and answers each with what became of the program, which runs in a process forked for it. */
const PYTHON = `
import json, os, runpy, sys, tempfile, traceback
import requests

def run(file, folder):
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.argv = [file]
        status = 0
        try:
            runpy.run_path(file, run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
            if status and not isinstance(end.code, int):
                print(end.code, file=sys.stderr)
        except BaseException:
            status = 1
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    out.seek(0)
    err.seek(0)
    return {"code": status, "stdout": out.read().decode(), "stderr": err.read().decode()}

for line in sys.stdin:
    print(json.dumps(run(**json.loads(line))), flush=True)
`;

/** The same for modules, which run in this one process. */
const JAVASCRIPT = `
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

class Exit extends Error {}
let said, number = 0;
console.log = (...values) => (said.stdout += format(...values) + "\\n");
console.error = (...values) => (said.stderr += format(...values) + "\\n");
process.exit = (code) => {
  said.code = code;
  throw new Exit();
};
for await (const line of createInterface({ input: process.stdin })) {
  const { file, folder } = JSON.parse(line);
  said = { code: 0, stdout: "", stderr: "" };
  process.chdir(folder);
  try {
    await import(pathToFileURL(file) + "?" + ++number);
  } catch (error) {
    if (!(error instanceof Exit)) {
      said.code = 1;
      console.error(error);
    }
  }
  process.stdout.write(JSON.stringify(said) + "\\n");
}
`;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Interpreter {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  private constructor(program: string, args: readonly string[]) {
    this.#child = spawn(program, args);
    this.#child.stderr.pipe(process.stderr);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  static python(program: string): Interpreter {
    return new Interpreter(program, ["-c", PYTHON]);
  }

  static javascript(program: string): Interpreter {
    return new Interpreter(program, ["--input-type=module", "--eval", JAVASCRIPT]);
  }

  /**
   * One at a time.
   *
   * @throws with what it has said, where it fails, as `execFile` does
   */
  async run(file: string, folder: string): Promise<Ended> {
    this.#child.stdin.write(`${JSON.stringify({ file, folder })}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error("the interpreter has ended");
    const ended = JSON.parse(value) as Ended;
    if (ended.code !== 0) throw Object.assign(new Error(ended.stderr), ended);
    return ended;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
