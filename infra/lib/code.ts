/**
 * Where the code of a function comes from: built by cargo-lambda, or prebuilt binaries.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { AssetHashType, DockerImage } from "aws-cdk-lib";
import { Code } from "aws-cdk-lib/aws-lambda";

/** The functions, each a binary and a crate of that name. */
export type Binary = "sekisho-ingest" | "sekisho-replay" | "sekisho-apply";

/** The processors that AWS runs functions on. */
export type ProcessorArchitecture = "arm64" | "x86_64";

/** Gives the code of a binary from a folder that holds `<binary>/bootstrap` (as cargo-lambda writes it) or the file `<binary>` (as cargo does). */
export function prebuilt(folder: string, binary: Binary): Code {
  const file = [join(folder, binary, "bootstrap"), join(folder, binary)].find(isFile);
  if (file === undefined) {
    throw new Error(`\`${folder}\` holds neither \`${binary}/bootstrap\` nor the file \`${binary}\`; build it, or leave \`binaries\` out`);
  }
  const hash = createHash("sha256").update(readFileSync(file)).digest("hex");
  return Code.fromAsset(folder, {
    assetHashType: AssetHashType.CUSTOM,
    assetHash: `${binary}-${hash}`,
    bundling: {
      // Never started: the file is copied here.
      image: DockerImage.fromRegistry("none"),
      local: {
        tryBundle(output: string): boolean {
          copyFileSync(file, join(output, "bootstrap"));
          return true;
        },
      },
    },
  });
}

/** Says what is missing for building for an architecture, or nothing. */
export function missingTarget(architecture: ProcessorArchitecture): string | undefined {
  const target = architecture === "arm64" ? "aarch64-unknown-linux-gnu" : "x86_64-unknown-linux-gnu";
  const answer = spawnSync("rustc", ["--print", "target-libdir", "--target", target], { encoding: "utf8" });
  if (answer.status === 0 && existsSync(answer.stdout.trim())) {
    return undefined;
  }
  return `Rust cannot build for ${architecture} here: \`rustup target add ${target}\`, or choose \`architecture: "x86_64"\``;
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
