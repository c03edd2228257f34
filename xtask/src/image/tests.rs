use super::*;

const DOCKERFILE: &str = include_str!("../../../Dockerfile");

fn refusal(from: &str, to: &str) -> String {
    assert!(DOCKERFILE.contains(from), "{from}");
    Image::parse(&DOCKERFILE.replace(from, to)).unwrap_err().to_string()
}

#[test]
fn the_words_of_the_last_stage_count() {
    let image = Image::parse(DOCKERFILE).unwrap();
    assert_eq!((image.user, image.port, image.stop_signal.as_str()), (65532, 3000, "TERM"));
    assert_eq!((image.program.as_str(), image.volume.as_str()), ("/usr/local/bin/hallpass", "/data"));
    assert_eq!(image.words(&image.command), ["/usr/local/bin/hallpass", "serve"]);
    assert_eq!(image.health, ["/usr/local/bin/hallpass", "health"]);
    let pairs = [("HALLPASS_LISTEN", "0.0.0.0:3000"), ("HALLPASS_LOG_FORMAT", "json")];
    assert_eq!(image.environment, pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert!(environment(&image, 4000).contains(&("HALLPASS_LISTEN".to_owned(), "0.0.0.0:4000".to_owned())));
}

#[test]
fn an_image_that_would_not_run_so_is_refused() {
    for (from, to, said) in [
        ("USER nonroot\n", "", "no USER"),
        ("USER nonroot", "USER 0", "runs as root"),
        ("USER nonroot", "USER root", "runs as root"),
        ("USER nonroot", "USER somebody", "neither nonroot nor a number"),
        ("USER nonroot", "USER 1000", "/data does not belong to the user"),
        ("cc-debian12:nonroot", "static-debian12:nonroot", "nobody here knows what is in"),
        ("VOLUME /data", "VOLUME /data\nRUN true", "no shell"),
        ("WORKDIR /data", "WORKDIR /", "WORKDIR is not the VOLUME"),
        ("--chown=nonroot:nonroot /data", "/data", "does not belong to the user"),
        ("COPY --from=build /hallpass ", "COPY --from=build /hallpas ", "no COPY of /hallpass"),
        ("&& mkdir /data", "", "nothing has made /data"),
        ("EXPOSE 3000", "EXPOSE 8080", "does not listen everywhere on 8080"),
        ("HALLPASS_LISTEN=0.0.0.0", "HALLPASS_LISTEN=127.0.0.1", "does not listen everywhere"),
        ("STOPSIGNAL SIGTERM\n", "", "no STOPSIGNAL"),
        ("CMD [\"serve\"]", "CMD serve", "no shell"),
        ("ENTRYPOINT [\"/usr/local/bin/hallpass\"]", "ENTRYPOINT [\"/hallpass\"]", "which is all there is"),
        ("CMD [\"/usr/local/bin/hallpass\", \"health\"]", "CMD [\"curl\"]", "which is all there is"),
    ] {
        let refusal = refusal(from, to);
        assert!(refusal.contains(said), "{to}: {refusal}");
    }
}

#[test]
fn a_library_that_the_base_image_does_not_have_is_refused() {
    let listed = "\tlinux-vdso.so.1 (0x00007f)\n\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)\n\
                  \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
    assert_eq!(
        libraries(listed).unwrap(),
        ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]
    );
    for more in ["\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f)", "\tlibz.so.1 => not found"] {
        assert!(libraries(&format!("{listed}{more}\n")).is_err(), "{more}");
    }
}
