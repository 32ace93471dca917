FROM ruby:3.4-slim AS base
WORKDIR /rails
ENV RAILS_ENV="production" \
    BUNDLE_PATH="/usr/local/bundle"
FROM base AS build
COPY Gemfile Gemfile.lock ./
RUN bundle install && \
    rm -rf ~/.bundle/ "${BUNDLE_PATH}"/ruby/*/cache
FROM base
COPY --from=build "${BUNDLE_PATH}" "${BUNDLE_PATH}"
RUN groupadd --system --gid 1000 rails
USER 1000:1000
