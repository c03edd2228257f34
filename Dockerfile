# The server as an image: `docker build -t hallpass .`
#
# docker run -p 3000:3000 -v hallpass:/data -e AUTH_SECRET -e AUTH_URL=https://auth.example.com \
#     -e AUTH_GITHUB_ID -e AUTH_GITHUB_SECRET hallpass
#
# Everything that lasts is in /data: hallpass.toml, if there is one, and hallpass.db, unless another database is named.

FROM rust:1.95-slim-bookworm AS build
# What ring, SQLite and QuickJS are compiled with.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/source/target \
    cargo build --locked --release --package hallpass-server && \
    cp target/release/hallpass /hallpass && mkdir /data

# No shell, no package manager; certificates of authorities are inside the program or this image.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /hallpass /usr/local/bin/hallpass
COPY --from=build --chown=nonroot:nonroot /data /data
WORKDIR /data
VOLUME /data
USER nonroot
ENV HALLPASS_LISTEN=0.0.0.0:3000 HALLPASS_LOG_FORMAT=json
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=35s --start-period=5s --retries=3 CMD ["/usr/local/bin/hallpass", "health"]
ENTRYPOINT ["/usr/local/bin/hallpass"]
CMD ["serve"]
