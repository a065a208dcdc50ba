# nginx-docs: rung 0 -> 3
FROM nginx:1.26
COPY nginx.conf /etc/nginx/nginx.conf
COPY html /usr/share/nginx/html
RUN chmod -R 755 /usr/share/nginx/html && chown -R 101 /usr/share/nginx/html
EXPOSE 80
RUN mkdir -p /var/cache/nginx \
    && touch /run/nginx.pid \
    && chown -R 101:101 /var/cache/nginx \
    && chown 101:101 /run/nginx.pid
USER 101:101
CMD ["nginx", "-g", "daemon off;"]
